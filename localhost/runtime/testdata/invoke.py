"""Calls the Invoke API as a user of boto3 does, and prints what comes of it."""
import json
import sys

import boto3
from botocore.config import Config

client = boto3.client(
    "lambda", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x",
    config=Config(retries={"max_attempts": 1}),
)


def invoke(**arguments):
    try:
        answer = client.invoke(**arguments)
    except client.exceptions.ClientError as e:
        return {"error": type(e).__name__, "code": e.response["Error"]["Code"], "message": e.response["Error"]["Message"]}
    payload = answer["Payload"].read().decode()
    return {
        "status": answer["StatusCode"], "payload": json.loads(payload) if payload else None, "log": "LogResult" in answer,
        "error": answer.get("FunctionError"), "version": answer.get("ExecutedVersion"), "id": bool(answer["ResponseMetadata"]["RequestId"]),
    }


def stream(event):
    answer = client.invoke_with_response_stream(FunctionName="foo", Payload=json.dumps(event))
    events = list(answer["EventStream"])
    return {
        "status": answer["StatusCode"], "version": answer["ExecutedVersion"],
        "payload": b"".join(e["PayloadChunk"]["Payload"] for e in events[:-1]).decode(), "end": events[-1],
    }


echo = json.dumps({"do": "echo"})
print(json.dumps([
    invoke(FunctionName="foo", Payload=echo, LogType="Tail"),
    invoke(FunctionName="arn:aws:lambda:us-east-1:123456789012:function:FooFunction", Payload=echo, Qualifier="$LATEST"),
    invoke(FunctionName="foo", Payload=json.dumps({"do": "error", "text": "no"})),
    invoke(FunctionName="foo", Payload=echo, InvocationType="Event"),
    invoke(FunctionName="foo", Payload=echo, InvocationType="DryRun"),
    invoke(FunctionName="bar", Payload=echo),
    invoke(FunctionName="busy", Payload=echo),
    invoke(FunctionName="foo", Payload="no json"),
    invoke(FunctionName="foo", Payload=" " * 6291457),
    stream({"do": "echo"}),
    stream({"do": "error", "text": "no"}),
    stream({"do": "raw stream", "text": "fail"}),
]))
