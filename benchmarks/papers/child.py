"""Work in a process of its own: whatever becomes of it, the run goes on."""

import multiprocessing

import torch

__all__ = ["in_child"]


def in_child(work, limit=None):
    """What ``work()`` returns, and the text of the error if there was one.

    The process is ended after `limit` seconds. One that the system ends, for lack of
    memory most often, is an error too. Where processes cannot be forked, and on a GPU,
    which a fork cannot use, the work is done in this one, without a limit.
    """
    forks = "fork" in multiprocessing.get_all_start_methods()
    if not forks or torch.cuda.is_available():
        return attempt(work)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=report, args=(work, sender))
    child.start()
    sender.close()
    try:
        if receiver.poll(limit):
            return receiver.recv()
        return None, f"TimeoutError: not done after {limit:g} s"
    except EOFError:
        child.join()
        return None, f"the process was ended (code {child.exitcode}): memory?"
    finally:
        child.kill()
        child.join()


def report(work, sender):
    sender.send(attempt(work))


def attempt(work):
    try:
        return work(), ""
    except Exception as error:
        return None, one_line(error)


def one_line(error, longest=300):
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:longest]
