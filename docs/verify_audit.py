"""Check exported days of the audit chain: python verify_audit.py DAY.root.json DAY.records.jsonl [the next day ...]."""

import hashlib
import json
import sys

previous = None
for root_path, records_path in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    with open(root_path, encoding="utf-8") as file:
        root = json.load(file)
    if previous not in (None, root["previous"]):
        sys.exit(f"{root['day']}: does not follow the day before")
    previous, number, records = root["previous"], root["first"], 0
    with open(records_path, encoding="utf-8") as file:
        for text in file:
            seal = json.loads(text)
            header = seal["header"]
            lines = (next(file, "").rstrip("\n").encode() for _ in range(header["records"]))
            leaves = b"".join(hashlib.sha256(line).digest() for line in lines)
            told = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
            digest = hashlib.sha256(told + b"\n" + leaves).hexdigest()
            if (header["number"], header["previous"], digest) != (number, previous, seal["digest"]):
                sys.exit(f"{root['day']}: batch {number} is not what was sealed")
            previous, number, records = digest, number + 1, records + header["records"]
    if (previous, records) != (root["digest"], root["records"]):
        sys.exit(f"{root['day']}: the records do not lead to the root")
    sys.stdout.write(f"{root['day']}: {records} records hold; digest {previous}\n")
