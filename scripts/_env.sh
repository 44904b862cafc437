# Shared by the commands in this folder (sourced, not run): the environment that they need, made when it is missing.
# Everything lives in .venv and .cache of this checkout. Messages go to stderr: stdout belongs to the commands.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PYTHON="$ROOT/.venv/bin/python"
OLDEST=10 NEWEST=13 # Python 3.x: the embedded server brings stubs for these, and our code needs 3.10

PATH="${PATH:-/usr/local/bin:/usr/bin:/bin}"
export PATH="${PATH%:.}" # without one, bash takes its own, which may end in "." and isn't handed on
export PYTHONSAFEPATH=1  # another checkout in the working directory must not be taken for this one
export ORT_DISABLE_TELEMETRY=1                        # ONNX Runtime would report its use to its maker
export PYTHONUTF8=1                                 # cards are Chinese, whatever the locale says
export PYTHONPATH="$ROOT:$ROOT/client" # the caller's own might bring another numpy
unset PYTHONHOME

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# wants_help ARGUMENTS…: whether they ask for help, which must not cost a set-up.
wants_help() {
  local argument
  for argument in "$@"; do
    case "$argument" in -h | --help) return 0 ;; esac
  done
  return 1
}

# help_of SCRIPT: prints the comment at the top of a script.
help_of() { sed -n '2,/^[^#]/{ s/^# \{0,1\}//p }' "$1"; }

# find_python: sets BASE_PYTHON to a Python that fits. numpy 1, which the server needs, has no wheel for 3.13, so
# that one comes last.
find_python() {
  local name path minor unfit=""
  for name in python3 python3.11 python3.12 python3.10 python3.13; do
    path="$(command -v "$name")" || continue
    minor="$("$path" -c 'import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)' 2>/dev/null)" || continue
    if ((minor < OLDEST || minor > NEWEST)) || { ((minor == NEWEST)) && [[ $name == python3 ]]; }; then
      continue
    fi
    if "$path" -c 'import ensurepip, venv' 2>/dev/null; then
      BASE_PYTHON="$path"
      return
    fi
    unfit="${unfit:-3.$minor}"
  done
  [[ -z $unfit ]] || fail "Python $unfit can't make virtual environments: apt install python3-venv"
  fail "no Python 3.$OLDEST to 3.$NEWEST found: apt install python3 python3-venv"
}

# fingerprint: changes when what has to be installed may have changed, or the checkout has moved.
fingerprint() {
  local file
  {
    echo "$ROOT"
    declare -f install_group
    for file in "$ROOT/pyproject.toml" "$ROOT/client/pyproject.toml"; do
      sed '/^\[tool\./,$d' "$file" # the settings of tools change nothing
    done
  } | sha256sum
}

# need GROUP…: makes .venv with the packages of these groups, unless that is done.
#   serve     the server, the client, and what the models need
#   bench     the readers that scripts/bench measures against
#   develop   all that tests, training and the batching model need as well
need() {
  local print group
  print="$(fingerprint)"
  for group in "$@"; do
    is_done "$group" "$print" || install_group "$group" "$print"
  done
}

is_done() {
  local group
  for group in "$1" develop; do # which holds all the others
    [[ -x $PYTHON && -f "$ROOT/.venv/$group.done" && "$(<"$ROOT/.venv/$group.done")" == "$2" ]] && return
  done
  return 1
}

install_group() (
  mkdir -p "$ROOT/.cache"
  exec 9>"$ROOT/.cache/set-up.lock"
  flock 9 # two commands may be started at once
  is_done "$1" "$2" && return
  make_venv 9>&-
  say "installing packages ($1), once: about a minute …"
  case "$1" in
    serve)
      pip_install --editable "$ROOT[serve]" --editable "$ROOT/client[cli]"
      # Only its model file is used, so what it depends on stays away.
      pip_install --no-deps rapidocr==3.10.0
      ;;
    develop)
      pip_install --editable "$ROOT[serve,test,training,batching,bench]" --editable "$ROOT/client[cli,images,prometheus]"
      ;;
    bench) pip_install --editable "$ROOT[serve,training,bench]" --editable "$ROOT/client[cli]" ;;
    *) fail "no group of packages is called $1" ;;
  esac
  printf '%s\n' "$2" >"$ROOT/.venv/$1.done"
)

make_venv() {
  [[ -x $PYTHON ]] && return
  find_python
  say "making .venv with $("$BASE_PYTHON" --version) …"
  rm -rf "$ROOT/.venv" # an unfinished one, or one whose Python is gone
  "$BASE_PYTHON" -m venv "$ROOT/.venv" >&2 || { rm -rf "$ROOT/.venv"; fail "no virtual environment: apt install python3-venv"; }
}

pip_install() {
  "$PYTHON" -m pip install -qq --disable-pip-version-check "$@" >&2 9>&- ||
    fail "pip couldn't install what is needed; its message is above. Start again when that is mended."
}
