import json
import socket
from collections.abc import Iterator
from importlib.resources import files

import jsonschema
import pytest
from tandem_triton import (
    BadPictureError,
    Client,
    ClientOptions,
    NotServedError,
    ProtocolError,
    RetryPolicy,
    ServerError,
    TandemError,
    UnavailableError,
)
from tandem_triton.core.options import Protocol
from tandem_triton.services.id_card import SERVICE

from tandem.runtime.server import TritonServer
from tests.client.orders import order

ONCE = ClientOptions(retry=RetryPolicy(attempts=1))


@pytest.fixture(params=["grpc", "http"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    value: Protocol = request.param
    return value


@pytest.fixture
def url(triton: TritonServer, protocol: Protocol) -> str:
    return triton.grpc_url if protocol == "grpc" else triton.http_url


@pytest.fixture
def client(url: str, protocol: Protocol) -> Iterator[Client]:
    with Client(url, protocol=protocol, options=ONCE) as client:
        yield client


@pytest.mark.triton
class TestOnTriton:
    def test_recognize_gives_typed_cards(self, client: Client) -> None:
        [card] = client.recognize(order(number="11010519491231002X"))
        assert card.fields["公民身份号码"] == "11010519491231002X"

    def test_recognize_json_gives_the_answer_as_parsed(self, client: Client) -> None:
        answer = client.recognize_json(order(number="1"))
        assert answer["cards"][0]["fields"]["公民身份号码"] == "1"
        schema = json.loads((files("tandem.services.id_card") / "result.schema.json").read_text("utf-8"))
        read = client.recognize_json(order(number="11010519491231002X"))
        jsonschema.validate({"others": [], **read}, schema)  # the test's model sees no other documents

    def test_no_card_is_no_error(self, client: Client) -> None:
        assert client.recognize(order(no_card=True)) == []

    @pytest.mark.parametrize("picture", [b"", b"\xff\xd8 not a picture"])
    def test_what_cannot_be_decoded_is_a_bad_picture(self, client: Client, picture: bytes) -> None:
        with pytest.raises(BadPictureError, match="decoded"):
            client.recognize(picture)

    @pytest.mark.parametrize(
        ("code", "error"),
        [
            ("INVALID_ARG", BadPictureError),
            ("UNAVAILABLE", UnavailableError),
            ("NOT_FOUND", NotServedError),
            ("UNSUPPORTED", NotServedError),
            ("INTERNAL", ServerError),
        ],
    )
    def test_tritons_codes(self, client: Client, code: str, error: type[TandemError]) -> None:
        with pytest.raises(error, match="ordered to fail"):
            client.recognize(order(error=code))

    def test_an_answer_that_is_not_the_contracts(self, client: Client) -> None:
        with pytest.raises(ProtocolError):
            client.recognize(order(junk="{}"))

    def test_a_large_picture_passes(self, client: Client) -> None:
        with pytest.raises(BadPictureError, match="decoded"):
            client.recognize(b"\xff" * (20 << 20))

    def test_an_unknown_model(self, url: str, protocol: Protocol) -> None:
        with (
            Client(url, protocol=protocol) as client,
            pytest.raises(NotServedError, match="none"),
        ):
            client.call(SERVICE.served_as("none"), order())


def test_nobody_listens(protocol: Protocol) -> None:
    with socket.socket() as bound:  # bound, not listening: nobody else can listen there either
        bound.bind(("127.0.0.1", 0))
        url = f"127.0.0.1:{bound.getsockname()[1]}"
        with Client(url, protocol=protocol, options=ONCE) as client, pytest.raises(UnavailableError):
            client.recognize(b"picture")


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(ValueError, match="grpc, http"):
        Client(protocol="smtp")  # type: ignore[arg-type]
