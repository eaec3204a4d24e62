"""What other systems dump, turned into records."""
