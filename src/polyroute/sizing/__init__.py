"""What a run takes before it is run: weights, memory, disk and hours, by arithmetic that is printed with its parts."""
