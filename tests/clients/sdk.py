"""Calls the gateway as a program does that uses OpenAI's SDK for Python and knows nothing else.

Prints what it got as JSON; `sdk.mjs` does and prints the same. The Rust test says what is right.
"""

import json
import os

import openai

base_url = os.environ["BASE_URL"]
tools = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tells the weather.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
schema = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}
picture = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def client(key, retries=0):
    return openai.OpenAI(base_url=base_url, api_key=key, max_retries=retries)


mine = client(os.environ["KEY"])


def ask(content, **more):
    more.setdefault("max_tokens", 24)
    return mine.chat.completions.create(
        model="sim/echo", messages=[{"role": "user", "content": content}], **more
    )


def models():
    ids = [model.id for model in mine.models.list()]
    return {"count": len(ids), "echo": "sim/echo" in ids}


def one_shot():
    answer = ask("hello out there")
    return {
        "text": answer.choices[0].message.content,
        "finish_reason": answer.choices[0].finish_reason,
        "completion_tokens": answer.usage.completion_tokens,
        "cost": answer.usage.model_extra["cost"],
        "id": answer.id.startswith("gen-"),
        "request_id": answer._request_id.startswith("req_"),
    }


def streamed():
    text, chunks, usage = "", 0, None
    for chunk in ask("hello out there", stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            chunks += 1
        usage = chunk.usage or usage
    return {
        "text": text,
        "in_pieces": chunks > 5,
        "completion_tokens": usage.completion_tokens,
        "cost": usage.model_extra["cost"],
    }


def tool():
    call = ask("use the tool", tools=tools, max_tokens=200).choices[0].message.tool_calls[0]
    return {"name": call.function.name, "city": "city" in json.loads(call.function.arguments)}


def tool_streamed():
    name, arguments = "", ""
    for chunk in ask("use the tool", tools=tools, max_tokens=200, stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            name += call.function.name or ""
            arguments += call.function.arguments or ""
    return {"name": name, "city": "city" in json.loads(arguments)}


def structured():
    json_schema = {"name": "reply", "schema": schema}
    formats = [{"type": "json_object"}, {"type": "json_schema", "json_schema": json_schema}]
    answers = [ask("in json", response_format=form, max_tokens=200) for form in formats]
    texts = [json.loads(answer.choices[0].message.content) for answer in answers]
    return {"object": isinstance(texts[0], dict), "schema": isinstance(texts[1]["answer"], str)}


def image():
    parts = [
        {"type": "text", "text": "what is this"},
        {"type": "image_url", "image_url": {"url": picture}},
    ]
    return {"prompt_tokens": ask(parts).usage.prompt_tokens}


def failure(call):
    try:
        call()
    except openai.APIError as error:
        response = getattr(error, "response", None)
        headers = response.headers if response is not None else {}
        return {
            "class": type(error).__name__,
            "status": getattr(error, "status_code", None),
            "code": error.code,
            "retry_after": "retry-after" in headers,
            "limits": headers.get("x-ratelimit-limit-requests"),
        }
    return "no failure"


def failures():
    def echo(key, retries=0, **more):
        more.setdefault("model", "sim/echo")
        user = {"role": "user", "content": "fail"}
        return client(key, retries).chat.completions.create(messages=[user], max_tokens=5, **more)

    key = os.environ["KEY"]
    return {
        "malformed_key": failure(lambda: echo("sk-nonsense")),
        "unknown_key": failure(lambda: echo(os.environ["UNKNOWN_KEY"])),
        "no_credit": failure(lambda: echo(os.environ["POOR_KEY"])),
        "limited": failure(lambda: [echo(os.environ["LIMITED_KEY"]) for _ in range(2)]),
        # With the SDK's own retries: an hour's limit must not be asked about again.
        "hourly": failure(lambda: [echo(os.environ["HOURLY_KEY"], 2) for _ in range(2)]),
        "unknown_model": failure(lambda: echo(key, model="sim/nope")),
        "bad_field": failure(lambda: echo(key, temperature=9)),
        "refused_field": failure(lambda: echo(key, extra_body={"plugins": []})),
        "provider": failure(lambda: echo(key, model="sim/status-500")),
        "mid_stream": failure(lambda: list(echo(key, model="sim/error-mid-stream", stream=True))),
    }


steps = [models, one_shot, streamed, tool, tool_streamed, structured, image, failures]
print(json.dumps({step.__name__: step() for step in steps}))
