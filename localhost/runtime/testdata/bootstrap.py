#!/usr/bin/env python3
"""A bootstrap in another language, which knows nothing but the Runtime API."""
import http.client
import json
import os

print("starting", flush=True)
host = os.environ["AWS_LAMBDA_RUNTIME_API"]
prefix = "/2018-06-01/runtime/invocation/"
api = http.client.HTTPConnection(host)
while True:
    api.request("GET", prefix + "next")
    res = api.getresponse()
    event = json.loads(res.read())
    request_id = res.headers["Lambda-Runtime-Aws-Request-Id"]
    print("got", event, flush=True)
    if event.get("do") == "error":
        what, body = "/error", {"errorType": "PythonError", "errorMessage": "no"}
    else:
        what, body = "/response", {"python": event, "pid": os.getpid(), "handler": os.environ["_HANDLER"]}
    api.request("POST", prefix + request_id + what, json.dumps(body))
    api.getresponse().read()
