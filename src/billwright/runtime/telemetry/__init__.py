"""What does a running process tell about itself? Logs, traces and metrics."""
