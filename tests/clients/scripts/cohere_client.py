"""Asks as Cohere's own client does: ``python cohere_client.py URL KEY``; prints what it read."""

import json
import sys

import cohere

url, key = sys.argv[1:]
client = cohere.ClientV2(key, base_url=url, max_retries=0)
hello = [{"role": "user", "content": "hello"}]

chat = client.chat(model="m", messages=hello)
streamed = [event for event in client.chat_stream(model="m", messages=hello) if event is not None]
embedded = client.embed(
    model="m", input_type="search_query", embedding_types=["float"], texts=["a", "b"]
)
ranked = client.rerank(model="m", query="q", documents=["a", "b"])
json.dump(
    {
        "chat": chat.model_dump(mode="json"),
        "stream": [event.model_dump(mode="json") for event in streamed],
        "embed": embedded.model_dump(mode="json"),
        "rerank": ranked.model_dump(mode="json"),
    },
    sys.stdout,
)
