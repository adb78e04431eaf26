"""The command line: every command is a few lines that call what does the work.

Modules are imported by the command that needs them, so that ``--help`` is quick and an extra is
missed only where it is used.
"""

import gc
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from extproc.auditor.command import audit
from extproc.calibration.command import calibrate
from extproc.errors import ConfigError
from extproc.inventory.command import inventory
from extproc.key_commands import keys
from extproc.ownership.command import ownership
from extproc.ownership.text_command import texts
from extproc.ownership.vocabulary_command import vocabulary
from extproc.promises.command import privacy
from extproc.redteam.command import redteam
from extproc.rehearsal.command import explain, try_cases
from extproc.replay.command import replay
from extproc.solve_command import solve
from extproc.suspects.command import suspects
from extproc.tenants.command import tenants

FOUND = 1
"""Exit code where a check found something."""
UNUSABLE = 4
"""Exit code where the configuration, or what it names, cannot be used."""

HELP = """Envoy sidecar that makes a machine-learning API expensive to copy.

Exit codes: 0 done; 1 a check found something, or a request is refused; 2 the command was called
wrongly; 3 a process that it runs died; 4 the configuration, or what it names, cannot be used; 130
interrupted.
"""

cli = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=HELP)
envoy = typer.Typer(no_args_is_help=True, help="Render and check Envoy's configuration.")
cli.add_typer(keys, name="keys")
cli.add_typer(envoy, name="envoy")
cli.add_typer(audit, name="audit")
cli.add_typer(ownership, name="ownership")
ownership.command()(texts)
ownership.command()(vocabulary)
cli.add_typer(tenants, name="tenants")
cli.add_typer(suspects, name="suspects")
cli.command()(privacy)
cli.command()(explain)
cli.command("test")(try_cases)
cli.command()(calibrate)
cli.command()(inventory)
cli.command()(redteam)
cli.command()(replay)
cli.command()(solve)

# readable=False: one that may not be read is no wrong call, and is told in our words.
PolicyArgument = Annotated[
    Path, typer.Argument(help="The policy file.", show_default=False, readable=False)
]
PolicyOption = Annotated[
    Path, typer.Option(help="The policy file.", show_default=False, readable=False)
]
BaseOption = Annotated[
    Path | None,
    typer.Option(
        envvar="EXTPROC_BASE",
        help="The platform's base file, which binds the policy file.",
        show_default=False,
        readable=False,
    ),
]
Upstream = Annotated[
    str,
    typer.Option(help="The model server, as in http://127.0.0.1:8000.", show_default=False),
]
Listen = Annotated[str, typer.Option(help="Where clients connect to.")]
TlsFile = Annotated[str, typer.Option(help="The gateway's own, in PEM, where Envoy finds it.")]
ClientCa = Annotated[
    str, typer.Option(help="Authorities that vouch for clients, each of whom needs a certificate.")
]


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        result = cli(standalone_mode=False)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    except typer.Exit as ended:
        return ended.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except Exception as error:
        if not hasattr(error, "show"):
            raise
        error.show()  # click's, for a command that was called wrongly
        return 2
    return result if isinstance(result, int) else 0


@cli.command()
def up(  # noqa: PLR0913, PLR0917 - an option each
    upstream: Upstream,
    policy: Annotated[
        Path | None,
        typer.Option(help="The policy file; without it, one with a fresh key.", readable=False),
    ] = None,
    base: BaseOption = None,
    listen: Listen = "127.0.0.1:8080",
    certificate: TlsFile = "",
    key: TlsFile = "",
    client_ca: ClientCa = "",
    beside: Annotated[
        str, typer.Option("--with", help="What else to run: redis, prometheus or redis,prometheus.")
    ] = "",
) -> int:
    """Run Envoy and the sidecar in front of a model server on this machine."""
    import asyncio

    from extproc.envoyconf.settings import parse_socket, parse_tls
    from extproc.gateway.beside import parse_beside
    from extproc.gateway.up import Up
    from extproc.gateway.up import up as run

    tls, more = parse_tls(certificate, key, client_ca), parse_beside(beside)
    return asyncio.run(run(Up(upstream, policy, parse_socket(listen), base, tls, beside=more)))


@cli.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="Show every API and tier, check, and exit.")
    ] = False,
    port: Annotated[int, typer.Option(help="Where clients connect to.", min=1, max=65535)] = 8080,
    output: Annotated[
        Literal["text", "json"], typer.Option(help="How --once prints its result.")
    ] = "text",
) -> int:
    """Run the gateway in front of real models, trained and loaded on this machine."""
    from extproc.demo.command import run

    return run(once=once, port=port, output=output)


@cli.command()
def serve(policy: PolicyOption, base: BaseOption = None) -> None:
    """Run the sidecar alone, for an Envoy that runs elsewhere."""
    # Must be set before grpc is imported; see docs/performance.md for what it brings.
    os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener")
    # And this before numpy is: several threads take ten times as long for a few queries as one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Until it serves all that is made stays: to look for garbage takes a tenth of its start.
    gc.disable()
    from extproc.config import load_all
    from extproc.server.app import run

    loaded = load_all(policy, base)
    run(loaded.config, loaded.table, loaded.plan, loaded.detection)


@cli.command()
def check(policy: PolicyArgument, base: BaseOption = None) -> None:
    """Check a policy file; says file, line and path of what is wrong."""
    from extproc.config import compile_audit, compile_detection, compile_table, load
    from extproc.config.document import dotted
    from extproc.config.privacy_budgets import doubts

    config = load(policy, base)
    table = compile_table(config)
    compile_audit(config)
    compile_detection(config)
    tenants = len({tenant for tenant, _ in table.policies})
    print(f"{policy}: {len(table.routes)} routes, {tenants} tenants, version {table.version}")
    for each in config.document.overruled:
        print(f"{each.origin}: {dotted(each.place)} does not hold: {each.by}")
    for doubt in doubts(config.settings, table):
        print(f"warning: {doubt}")


@cli.command()
def schema(
    base: Annotated[bool, typer.Option("--base", help="Of the base file instead.")] = False,
) -> None:
    """Print the JSON Schema of the policy file."""
    from extproc.config import base_schema
    from extproc.config import schema as policy_schema

    print(json.dumps(base_schema() if base else policy_schema(), indent=2))


@cli.command()
def learn(
    samples: Annotated[
        list[Path],
        typer.Argument(
            help="Answers of the model server; - for standard input.", show_default=False
        ),
    ],
) -> None:
    """Propose the rules of a generic route from sample answers; never prints their values."""
    from extproc.learn.rendering import learn as propose

    print(propose(samples))


@envoy.command()
def bootstrap(  # noqa: PLR0913, PLR0917 - an option for each file it names
    policy: PolicyOption,
    upstream: Upstream,
    base: BaseOption = None,
    listen: Listen = "0.0.0.0:8080",
    certificate: TlsFile = "",
    key: TlsFile = "",
    client_ca: ClientCa = "",
) -> None:
    """Print a whole Envoy configuration for this policy and model server."""
    from extproc.config import load
    from extproc.envoyconf import settings
    from extproc.envoyconf.bootstrap import bootstrap as render
    from extproc.envoyconf.text import to_yaml

    config = load(policy, base)
    tls = settings.parse_tls(certificate, key, client_ca)
    gateway = settings.Gateway(
        upstream=settings.parse_upstream(upstream),
        sidecar=settings.parse_address(config.listen),
        listen=settings.parse_socket(listen),
        tls=tls,
        peer_certificate=config.asks_for_certificates(shown=bool(tls and tls.client_ca)),
    )
    print(to_yaml(render(gateway)), end="")


@envoy.command()
def istio(policy: PolicyOption, base: BaseOption = None) -> None:
    """Print the EnvoyFilter that has Istio's proxies ask the sidecar beside them."""
    from extproc.config import load
    from extproc.envoyconf.istio import envoy_filter
    from extproc.envoyconf.settings import parse_address
    from extproc.envoyconf.text import to_yaml

    config = load(policy, base)
    shown = config.asks_for_certificates(shown=True)  # mTLS is the mesh's
    print(to_yaml(envoy_filter(parse_address(config.listen), peer_certificate=shown)), end="")


@envoy.command()
def gateway(policy: PolicyOption, base: BaseOption = None) -> None:
    """Print the resources that have Envoy Gateway's proxies ask the sidecar beside them."""
    from extproc.config import load
    from extproc.envoyconf.envoy_gateway import resources
    from extproc.envoyconf.settings import parse_address
    from extproc.envoyconf.text import to_yaml

    print(to_yaml(*resources(parse_address(load(policy, base).listen))), end="")


_CHECKED = "An Envoy configuration, its /config_dump, or Kubernetes' manifests."


@envoy.command("check")
def check_bootstrap(
    file: Annotated[Path, typer.Argument(help=_CHECKED, show_default=False)],
) -> int:
    """Find clusters that do not exist and settings that fail open, which Envoy does not say."""
    from extproc.envoyconf.check import all_problems
    from extproc.envoyconf.text import read_documents

    found = all_problems(read_documents(file))
    print("\n".join(found) or f"{file}: nothing found")
    return FOUND if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
