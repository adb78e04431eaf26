"""Envoy's configuration: rendered from a few settings, and checked after others edited it.

Read in this order: settings, bootstrap, document, listener, client_tls, http_filters, clusters,
addresses, local_replies, access_log; then parts, istio, envoy_gateway; then text, check,
fail_closed, references, walk; manifests, envoy_filters, gateway_policies, config_dump.
"""
