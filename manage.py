#!/usr/bin/env python
"""Runs the commands of Django and of `joblogs` (README, "Commands")."""

from __future__ import annotations

from jobplatform.__main__ import main

if __name__ == "__main__":
    main()
