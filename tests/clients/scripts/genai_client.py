"""Asks as Google's own client does: ``python genai_client.py URL KEY``; prints what it read."""

import json
import sys

from google import genai
from google.genai import types

url, key = sys.argv[1:]
options = types.HttpOptions(base_url=url, api_version="v1beta")
client = genai.Client(api_key=key, http_options=options)

told = client.models.generate_content(model="m", contents="hello")
streamed = list(client.models.generate_content_stream(model="m", contents="hello"))
embedded = client.models.embed_content(model="m", contents=["a", "b"])
json.dump(
    {
        "generate": told.model_dump(mode="json", exclude={"sdk_http_response"}),
        "stream": [
            part.model_dump(mode="json", exclude={"sdk_http_response"}) for part in streamed
        ],
        "embed": embedded.model_dump(mode="json", exclude={"sdk_http_response"}),
    },
    sys.stdout,
)
