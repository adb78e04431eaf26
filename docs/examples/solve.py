"""Ask, do the work that is asked for if any is, and ask again: python solve.py URL KEY BODY."""

import sys

import altcha
import httpx

url, key, body = sys.argv[1:]
headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
answer = httpx.post(url, headers=headers, content=body)
if answer.status_code == 429 and "challenge" in answer.json():
    challenge = altcha.Challenge.from_dict(answer.json()["challenge"])
    solution = altcha.solve_challenge(challenge)
    headers["x-extproc-solution"] = altcha.Payload(challenge, solution).to_base64()
    answer = httpx.post(url, headers=headers, content=body)
print(answer.status_code, answer.text)
