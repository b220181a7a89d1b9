"""What is done in a demo and nowhere else."""
