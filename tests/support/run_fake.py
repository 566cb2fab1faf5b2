"""Runs the fake study as a script: `run_fake.py OUT WORKERS JSON`, JSON being fields of the scenario.

Prints the hashes of the tables; exit status 1 after a failure, 130 after Ctrl-C.
"""

import json
import resource
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))


def main() -> int:
    from fake_study import FAKE, FakeScenario

    from dcsim.errors import DcsimError
    from dcsim.study import drive, interrupt
    from dcsim.study.run import RunInterrupted, run_study
    from dcsim.tables import writer

    out, workers, fields = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    patience = fields.pop("patience", None)
    if patience:
        interrupt.PATIENCE = drive.GRACE_SECONDS = patience  # type: ignore[misc]
    writer.ROWS_PER_GROUP = fields.pop("rows_per_group", writer.ROWS_PER_GROUP)  # type: ignore[misc]
    limit = fields.pop("file_limit", None)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    fields["faults"] = {int(key): value for key, value in fields.get("faults", {}).items()}
    print("started", flush=True)

    def report(done: int, total: int) -> None:
        print("done", done, flush=True)

    try:
        chunk = fields.pop("chunk", None)
        result = run_study(FakeScenario(**fields), FAKE, workers=workers, out=out, chunk=chunk, progress=report)
    except RunInterrupted as stop:
        print("interrupted", stop, stop.result, flush=True)
        return 130
    except DcsimError as error:
        print("failed", error, flush=True)
        return 1
    print(json.dumps({name: table["hash"] for name, table in result.manifest["tables"].items()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
