"""Trying what cannot be taken back: a process of its own does it, and is gone."""

import os


def reason_of_failure(action):
    """Why `action` fails on this machine; None where it works."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "it ended without a word"
        try:
            os.close(reader)
            action()
            answer = ""
        except Exception as error:
            answer = str(error)
        finally:
            os.write(writer, answer.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer or None
