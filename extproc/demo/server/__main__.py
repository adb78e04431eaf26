"""`python -m extproc.demo.server --host 127.0.0.1 --port N`; run by itself, beside the sidecar."""

import os
import sys


def main() -> None:
    # One core for the models leaves the rest to Envoy and the sidecar, and makes training
    # repeatable.  It counts only if set before numpy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from extproc.demo.server import command
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("extproc"):
            raise
        sys.exit(f"the demo's model server needs {error.name}: pip install 'extproc[demo]'")
    command.main(sys.argv[1:])


if __name__ == "__main__":
    main()
