"""Small JSON state files, replaced atomically: a reader sees the old content or the new one, never a part."""

import json
import os
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    """Write `content` to a temporary file, flush it to disk, and rename it to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
