"""The batch API of the fake server: files up, batches worked off between two looks, files down."""

import json
import re
from collections.abc import Callable
from itertools import count
from typing import Any

Body = dict[str, Any]


class FakeBatches:
    """``looks``: how often a batch is looked at before it has ended. ``refused`` maps a part of a request to
    the error that its line gets; ``silent`` has the answer to the creation of a batch get lost."""

    def __init__(self, answer: Callable[[Body], Body]) -> None:
        self.looks = 1
        self.refused: dict[str, str] = {}
        self.silent = False
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Body] = {}
        self._answer = answer
        self._numbers = count(1)

    def upload(self, raw: bytes, content_type: str) -> Body:
        """The file of a multipart form."""
        boundary = re.search(r"boundary=([^;]+)", content_type)
        assert boundary, content_type
        parts = raw.split(b"--" + boundary[1].strip('"').encode())
        content = next(part for part in parts if b'name="file"' in part).partition(b"\r\n\r\n")[2]
        id = f"file-{next(self._numbers)}"
        self.files[id] = content.removesuffix(b"\r\n")
        kept = {"id": id, "object": "file", "bytes": len(content), "created_at": 0}
        return {**kept, "filename": "requests.jsonl", "purpose": "batch", "status": "processed"}

    def create(self, body: Body) -> Body:
        id = f"batch-{next(self._numbers)}"
        lines = self.files[body["input_file_id"]].decode().splitlines()
        self.batches[id] = {
            "id": id, "object": "batch", "created_at": 0, "status": "in_progress",
            "endpoint": body["endpoint"],
            "completion_window": body["completion_window"], "input_file_id": body["input_file_id"],
            "metadata": body.get("metadata"), "looks": 0,
            "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
        }  # fmt: skip
        return self.batches[id]

    def look(self, id: str) -> Body:
        batch = self.batches[id]
        batch["looks"] += 1
        if batch["status"] == "in_progress" and batch["looks"] > self.looks:
            self._work_off(batch, None)
            batch["status"] = "completed"
        return batch

    def cancel(self, id: str) -> Body:
        """Half of it is done by then."""
        batch = self.batches[id]
        if batch["status"] == "in_progress":
            self._work_off(batch, batch["request_counts"]["total"] // 2)
            batch["status"] = "cancelled"
        return batch

    def _work_off(self, batch: Body, most: int | None) -> None:
        answers, faults = [], []
        for line in self.files[batch["input_file_id"]].decode().splitlines()[:most]:
            row = json.loads(line)
            said = next((error for part, error in self.refused.items() if part in line), None)
            if said is None:
                response = {"status_code": 200, "body": self._answer(row["body"])}
                answers.append({"custom_id": row["custom_id"], "response": response, "error": None})
            else:
                response = {"status_code": 400, "body": {"error": {"message": said}}}
                faults.append({"custom_id": row["custom_id"], "response": response, "error": None})
        for name, rows in (("output_file_id", answers), ("error_file_id", faults)):
            if rows:
                batch[name] = f"file-{next(self._numbers)}"
                self.files[batch[name]] = "\n".join(json.dumps(row) for row in rows).encode()
        counts = batch["request_counts"]
        counts["completed"], counts["failed"] = len(answers), len(faults)
