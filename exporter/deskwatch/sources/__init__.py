"""Code that watches something that can't write a journal, and writes one for it. A file per thing watched."""
