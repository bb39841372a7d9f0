"""Small state files that are either the old text or the new one, never half of either."""

import json
import os
from pathlib import Path


def write_json(path: Path, content: object) -> None:
    """Write `content` to a draft, push it to the disk, and put it in the place of `path` in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
