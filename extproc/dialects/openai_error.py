"""The error shape of OpenAI's APIs, which its clients map to exception classes by status."""

import orjson

from extproc.refusal import Refusal


def openai_error(refusal: Refusal) -> bytes:
    """``{"error": {"message", "type", "param", "code"}}``"""
    return orjson.dumps(
        {
            "error": {
                "message": refusal.message,
                "type": refusal.kind,
                "param": None,
                "code": refusal.code,
            }
        }
    )
