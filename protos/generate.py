"""Compiles the .proto files beside this script into `extproc/_pb`.

Rule: the output is a function of the .proto files and of two pinned compilers (grpcio-tools for
the code, mypy-protobuf for the stubs), so `--check` compares bytes.

Everything generated, the well-known types included, is registered in a descriptor pool of its own.
protobuf's default pool belongs to the whole process, and registering a second
`envoy.service.auth.v3.CheckRequest` or `google.rpc.Status` there raises TypeError as soon as
xds-protos, grpcio-health-checking or googleapis-common-protos is imported as well.
The price: `extproc._pb.google.protobuf.struct_pb2.Struct` and protobuf's own `Struct` are two
classes. They read the same bytes but do not assign to one another.
"""

import argparse
import re
import subprocess
import sys
import sysconfig
import tempfile
from importlib.resources import files
from pathlib import Path, PurePosixPath

PROTOS = Path(__file__).resolve().parent
OUTPUT = PROTOS.parent / "extproc" / "_pb"

# Where the staged sources stand, so that protoc itself writes imports of `extproc._pb.…`.
PREFIX = "extproc/_pb"
WELL_KNOWN = ("google/protobuf/duration.proto", "google/protobuf/struct.proto")

ROOT_INIT = '''\
"""Envoy's messages, compiled from protos/ by protos/generate.py.

Rule: never edit by hand; everything here lives in POOL, apart from protobuf's default pool.
"""

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal import api_implementation

# protobuf in pure Python knows only one pool per process, and is too slow to stand in a request.
if api_implementation.Type() != "upb":
    raise ImportError("extproc needs protobuf's compiled implementation (upb), not pure Python")

POOL = DescriptorPool()
'''

# protoc offers no option for the pool, so its two lines that name the default one are replaced.
OWN_POOL = (
    (
        "from google.protobuf import descriptor_pool as _descriptor_pool\n",
        "from extproc._pb import POOL as _POOL\n",
    ),
    ("_descriptor_pool.Default().AddSerializedFile(", "_POOL.AddSerializedFile("),
)

Files = dict[PurePosixPath, str]


def sources() -> Files:
    """Every source by its import path, the well-known types without their comments."""
    bundled = files("grpc_tools") / "_proto"
    found = {
        PurePosixPath(name): re.sub(r"(?m)^ *//.*\n", "", (bundled / name).read_text("utf-8"))
        for name in WELL_KNOWN
    }
    for path in PROTOS.rglob("*.proto"):
        found[PurePosixPath(path.relative_to(PROTOS).as_posix())] = path.read_text("utf-8")
    return found


def stage(root: Path) -> list[str]:
    """Writes the sources under PREFIX in `root` and returns their names for protoc."""
    names = []
    for path, text in sorted(sources().items()):
        name = f"{PREFIX}/{path}"
        staged = root / name
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.write_text(re.sub(r'(?m)^import "', f'import "{PREFIX}/', text), "utf-8")
        names.append(name)
    return names


def compile_protos(root: Path, names: list[str]) -> None:
    """Lets protoc write modules and stubs beside the staged sources."""
    plugin = Path(sysconfig.get_path("scripts")) / "protoc-gen-mypy"
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--plugin=protoc-gen-mypy={plugin}"]
    options = [f"--proto_path={root}", f"--python_out={root}", f"--mypy_out=quiet:{root}"]
    if subprocess.run([*protoc, *options, *names], check=False).returncode:
        sys.exit("protoc failed, see above")


def with_own_pool(module: str) -> str:
    """Raises ValueError when protoc no longer writes what OWN_POOL looks for."""
    for theirs, ours in OWN_POOL:
        if module.count(theirs) != 1:
            raise ValueError(f"expected protoc to write {theirs!r} once")
        module = module.replace(theirs, ours)
    return module


def generate() -> Files:
    """All files of `extproc/_pb` by relative path."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        compile_protos(root, stage(root))
        made = read(root / PREFIX)
    fresh = {
        path: with_own_pool(text) if path.suffix == ".py" else text
        for path, text in made.items()
        if path.suffix != ".proto"
    }
    packages = {parent / "__init__.py" for path in fresh for parent in path.parents}
    return fresh | dict.fromkeys(packages, "") | {PurePosixPath("__init__.py"): ROOT_INIT}


def read(root: Path) -> Files:
    """All files below `root` by relative path, byte-code caches aside."""
    return {
        PurePosixPath(path.relative_to(root).as_posix()): path.read_text("utf-8")
        for path in root.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


def write(fresh: Files, stale: list[PurePosixPath]) -> None:
    for path in stale:
        (OUTPUT / path).unlink()
    for path, text in fresh.items():
        target = OUTPUT / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")


def main() -> None:
    """Exits 1 under --check, naming the files that differ from a fresh generation."""
    parser = argparse.ArgumentParser(description="Compile protos/ into extproc/_pb.")
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 on drift")
    check = parser.parse_args().check
    fresh, current = generate(), read(OUTPUT)
    drifted = sorted(p for p in fresh.keys() | current.keys() if fresh.get(p) != current.get(p))
    if not check:
        write(fresh, stale=[path for path in drifted if path not in fresh])
    elif drifted:
        listing = "\n".join(f"  {PREFIX}/{path}" for path in drifted)
        sys.exit(f"not what `make protos` generates:\n{listing}")


if __name__ == "__main__":
    main()
