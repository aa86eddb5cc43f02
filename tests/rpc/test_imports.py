"""What importing the room does to a process; each case is a process of its own."""

import subprocess
import sys
import textwrap


def said(program: str, **environment: str) -> str:
    """What a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), **environment},
    )
    return done.stdout.strip()


def test_the_door_opens_without_grpc_protobuf_and_cryptography() -> None:
    program = """
        import sys
        import ftl_nb.rpc
        print([name for name in ("grpc", "google.protobuf", "cryptography") if name in sys.modules])
    """
    assert said(program) == "[]"


def test_a_process_that_imported_everything_can_be_forked() -> None:
    program = """
        import os, threading
        import ftl_nb.rpc.services
        from ftl_nb.rpc import Authority, Channels, Credentials, Identity, handlers, peer, serve
        from ftl_nb.rpc.services import VerbService
        from ftl_nb.rpc.verb_pb2 import CallRequest, CallResponse
        print(threading.active_count(), end=" ", flush=True)
        if (child := os.fork()) == 0:
            shop = Identity.module("shop", "play")
            credentials = Credentials(Authority("play").issue(shop))
            echo = VerbService.call.served_by(lambda request, context: CallResponse(body=request.body))
            server = serve(handlers(echo), credentials)
            with Channels(credentials) as channels:
                call = VerbService.call.on(channels.to(server.endpoint, shop))
                print(call(CallRequest(body=b"hello"), timeout=10).body.decode(), flush=True)
            server.stop()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    """
    assert said(program) == "1 hello"


def test_the_environment_is_left_as_it_was() -> None:
    program = """
        import os
        before = dict(os.environ)
        from ftl_nb.rpc import tls
        print(tls.TLS13_ONLY, dict(os.environ) == before)
    """
    assert said(program) == "True True"
    assert said(program, GRPC_SSL_CIPHER_SUITES="HIGH", GRPC_VERBOSITY="INFO") == "True True"


def test_grpc_that_somebody_else_imported_first_is_noticed() -> None:
    program = """
        import grpc
        from ftl_nb.rpc import tls
        print(tls.TLS13_ONLY)
    """
    assert said(program) == "False"
