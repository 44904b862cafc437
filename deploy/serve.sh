#!/usr/bin/env bash
# The container's command: tritonserver with this project's settings. Arguments are added to the server's own.
#
#   TANDEM_MODELS                the model repository; default /models
#   TANDEM_CONFIG_NAME           use configs/NAME.pbtxt of the models that have one: gpu, tensorrt
#   TANDEM_ADDRESS               address to listen on; default 0.0.0.0: who publishes the ports decides who may come
#   TANDEM_TOKEN_FILE            holds the token that every caller of the models must send; default: no token
#   TANDEM_ADMIN_TOKEN_FILE      holds the token for model control, shared memory, tracing and logging; default: one
#                                that nobody knows, so that these stay closed
#   TANDEM_TLS_CERTIFICATE, TANDEM_TLS_KEY   PEM files: gRPC speaks TLS only, and HTTP doesn't serve models any more
#   TANDEM_TLS_CLIENT_AUTHORITIES            PEM file: gRPC callers must show a certificate that these have signed
set -euo pipefail
ulimit -c 0 # a core dump would hold pictures of cards

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# token FILE: what the file holds; without a file 256 random bits.
token() {
  local value
  if [[ -n "$1" ]]; then
    [[ -r "$1" ]] || fail "can't read the token file $1"
    value="$(<"$1")"
    [[ "$value" =~ ^[A-Za-z0-9._~-]{16,}$ ]] || fail "the token in $1 must be 16 or more of A-Z a-z 0-9 . _ ~ -"
  else
    value="$(od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n')"
  fi
  printf '%s' "$value"
}

address="${TANDEM_ADDRESS:-0.0.0.0}"
admin="$(token "${TANDEM_ADMIN_TOKEN_FILE:-}")"
closed=model-repository,shared-memory,trace,logging
closed_http="$closed"

arguments=(
  --model-repository="${TANDEM_MODELS:-/models}"
  --model-control-mode=none
  --exit-on-error=true
  --strict-readiness=true
  --disable-auto-complete-config
  --model-load-thread-count=8
  --exit-timeout-secs=30
  --grpc-address="$address"
  --http-address="$address"
  --metrics-address="$address"
  --metrics-interval-ms=1000
  # Latency quantiles by step: Triton's counters alone give only means.
  --metrics-config=summary_latencies=true
  --metrics-config=summary_quantiles=0.5:0.05,0.95:0.01,0.99:0.001
  --log-info=false
  --grpc-restricted-protocol="$closed:tandem-admin=$admin"
)
if [[ -n "${TANDEM_CONFIG_NAME:-}" ]]; then
  arguments+=(--model-config-name="$TANDEM_CONFIG_NAME")
fi
if [[ -n "${TANDEM_TOKEN_FILE:-}" ]]; then
  caller="$(token "$TANDEM_TOKEN_FILE")"
  arguments+=(--grpc-restricted-protocol="inference:tandem-token=$caller")
fi
if [[ -n "${TANDEM_TLS_CERTIFICATE:-}" ]]; then
  [[ -n "${TANDEM_TLS_KEY:-}" ]] || fail "TANDEM_TLS_CERTIFICATE needs TANDEM_TLS_KEY"
  arguments+=(--grpc-use-ssl=true --grpc-server-cert="$TANDEM_TLS_CERTIFICATE" --grpc-server-key="$TANDEM_TLS_KEY")
  if [[ -n "${TANDEM_TLS_CLIENT_AUTHORITIES:-}" ]]; then
    arguments+=(--grpc-use-ssl-mutual=true --grpc-root-cert="$TANDEM_TLS_CLIENT_AUTHORITIES")
  fi
  closed_http="$closed,inference" # Triton's HTTP knows no TLS: only health and metadata stay open there
elif [[ -n "${TANDEM_TLS_CLIENT_AUTHORITIES:-}" ]]; then
  fail "TANDEM_TLS_CLIENT_AUTHORITIES needs TANDEM_TLS_CERTIFICATE"
elif [[ -n "${caller:-}" ]]; then
  arguments+=(--http-restricted-api="inference:tandem-token=$caller")
fi
arguments+=(--http-restricted-api="$closed_http:tandem-admin=$admin")

# Triton never starts the process of a Python model again: when one has ended, each request that needs it fails, while
# the server says that it is ready. So the container ends then, and whoever runs it starts it again.
tritonserver "${arguments[@]}" "$@" &
server=$!
trap 'kill -TERM "$server" 2>/dev/null' TERM INT

model_process_ended() { # a zombie (state Z) whose parent is the server
  local stat line
  for stat in /proc/[0-9]*/stat; do
    { read -r line <"$stat"; } 2>/dev/null || continue
    [[ "$line" == *") Z $server "* ]] && return 0
  done
  return 1
}

while kill -0 "$server" 2>/dev/null; do
  if model_process_ended; then
    echo "error: the process of a Python model has ended; ending, to be started again" >&2
    kill -KILL "$server"
    exit 1
  fi
  sleep 1 & # in the background, so that a signal is heard at once
  wait $! || true
done
wait "$server"
