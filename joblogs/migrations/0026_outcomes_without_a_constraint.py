"""No foreign key from the outcomes of steps in a store that 0011 made with one, as it first did:
a program that knows of no outcomes could not remove jobs."""

import copy
from typing import Any

from django.db import migrations


def drop_constraint(apps: Any, editor: Any) -> None:
    """Let the database of a store that has the constraint forget it."""
    outcomes = apps.get_model("joblogs", "FailureRun")
    step = outcomes._meta.get_field("step")
    constrained = copy.copy(step)
    constrained.db_constraint = True
    editor.alter_field(outcomes, constrained, step)


class Migration(migrations.Migration):
    dependencies = [("joblogs", "0025_kept_groups")]

    operations = [migrations.RunPython(drop_constraint, migrations.RunPython.noop)]
