"""Looks for published vulnerabilities of what is locked: ``make audit``.

pip-audit asks PyPI's advisory service. Where that cannot be reached the run says so and goes on,
since a test must pass offline; a vulnerability that is found ends it with exit code 1.
"""

from __future__ import annotations

import json
import subprocess
import sys

from tests.server import ROOT


def main() -> int:
    """Audit the locks of what runs and of what tests."""
    worst = 0
    for lock in ("requirements.lock", "requirements-dev.lock"):
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", "-r", str(ROOT / lock), "--require-hashes",
             "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "10"],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        verdict, code = judge(done.stdout, done.stderr)
        print(f"{lock}: {verdict}")
        worst = max(worst, code)
    return worst


def judge(printed: str, complained: str) -> tuple[str, int]:
    """What a run of pip-audit means, and the exit code for it."""
    try:
        packages = json.loads(printed)["dependencies"]
    except (ValueError, KeyError):
        reason = complained.strip().splitlines()[-1:] or ["no answer"]
        return f"NOT AUDITED, the advisory service cannot be reached ({reason[0]})", 0
    audited = [package for package in packages if "skip_reason" not in package]
    found = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for package in audited
        for flaw in package["vulns"]
    ]
    if found:
        return "VULNERABLE\n  " + "\n  ".join(found), 1
    if not audited:
        return "NOT AUDITED, the advisory service knows none of the packages from here", 0
    missed = len(packages) - len(audited)
    rest = f"; {missed} could not be looked up" if missed else ""
    return f"{len(audited)} packages, no known vulnerability{rest}", 0


if __name__ == "__main__":
    sys.exit(main())
