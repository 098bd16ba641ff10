"""What the stream is made of: places to resume from, messages, readers, and the past read from the segments."""
