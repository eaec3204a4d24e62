"""Pages about jobs and the hosts that they ran on."""
