// Package lambda is AWS Lambda for one machine: it runs functions as processes of
// their own, each behind a Runtime API, and invokes them as Lambda would.
//
// A Host keeps what all functions share. A Pool runs the processes of one function
// and invokes it. Around a Pool stand the ways in: Handler for requests that come
// through the gateway, InvokeAPI for the AWS SDKs, Queue for asynchronous events.
//
// It runs any program that speaks the Runtime API, in any language. There are no
// containers: a process sees the files, the users and the network of this machine.
// What is limited, and how, is told in docs/runtime.md.
//
// The rules come from the AWS documentation: "runtimes-api", "lambda-runtime-environment"
// (phases, resets, shutdown), "configuration-envvars", "gettingstarted-limits".
package lambda
