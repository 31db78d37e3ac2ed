"""Check exported days of the audit chain: python verify_audit.py DAY.root.json DAY.records.jsonl [the next day ...]."""

import hashlib
import json
import sys


def check(root, lines, previous):
    """Recompute a day; the digest at its end."""
    number, records = root["first"], 0
    if previous not in (None, root["previous"]):
        sys.exit(f"{root['day']}: does not follow the day before")
    previous = root["previous"]
    for text in lines:
        seal = json.loads(text)
        header = seal["header"]
        count = header["records"]
        leaves = (hashlib.sha256(next(lines, "").rstrip("\n").encode()).digest() for _ in range(count))
        told = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
        digest = hashlib.sha256(told + b"\n" + b"".join(leaves)).hexdigest()
        if (header["number"], header["previous"], digest) != (number, previous, seal["digest"]):
            sys.exit(f"{root['day']}: batch {number} is not what was sealed")
        previous, number, records = digest, number + 1, records + count
    if (previous, records) != (root["digest"], root["records"]):
        sys.exit(f"{root['day']}: the records do not lead to the root")
    sys.stdout.write(f"{root['day']}: {records} records hold; digest {previous}\n")
    return previous


before = None
for root_path, records_path in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    with open(root_path, encoding="utf-8") as root_file, open(records_path, encoding="utf-8") as records_file:
        before = check(json.load(root_file), iter(records_file), before)
