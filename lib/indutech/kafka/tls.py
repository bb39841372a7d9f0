"""A TLS handshake that finds out why clients cannot connect: Kafka clients only report a broken connection."""

import socket
import ssl
from pathlib import Path

ANSWERS_WITHIN_S = 5.0
# OpenSSL's X509_V_ERR_ codes: doc/man3/X509_STORE_CTX_get_error.pod
EXPIRED, NOT_YET_VALID, OTHER_HOST, OTHER_IP = 10, 9, 62, 64
NOT_SPOKEN = "does not speak TLS: set KAFKA_SECURITY_PROTOCOL to PLAINTEXT or SASL_PLAINTEXT, or use its TLS port"


def fault(host: str, port: int, ca_file: Path | None) -> str | None:
    """Return half a sentence that says why a TLS client cannot connect; None if it can, or gets no answer.

    Args:
        host: name or IP address, which the certificate must carry.
        port: TCP port.
        ca_file: PEM file of the authorities to trust; None for those that this machine trusts.
    """
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    try:
        _shake_hands(context, host, port)
    except ssl.SSLCertVerificationError as error:
        return _about_certificate(error, host, ca_file)
    except ssl.SSLError as error:
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
            return NOT_SPOKEN
        return None
    except OSError:  # it hangs up or says nothing, as a plain Kafka listener does
        return None
    return None


def is_spoken(host: str, port: int) -> bool:
    """Tell whether this port speaks TLS, whatever its certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent: we only want to know
    try:
        _shake_hands(context, host, port)
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")  # it refuses us, in TLS
    except OSError:
        return False
    return True


def _shake_hands(context: ssl.SSLContext, host: str, port: int) -> None:
    with (
        socket.create_connection((host, port), timeout=ANSWERS_WITHIN_S) as connection,
        context.wrap_socket(connection, server_hostname=host),
    ):
        pass


def _about_certificate(error: ssl.SSLCertVerificationError, host: str, ca_file: Path | None) -> str:
    if error.verify_code == EXPIRED:
        return "shows a certificate that has expired: have it renewed"
    if error.verify_code == NOT_YET_VALID:
        return "shows a certificate that is not valid yet: check the clocks of both machines"
    if error.verify_code in (OTHER_HOST, OTHER_IP):
        return (
            f"shows a certificate that is not for {host}: use a name that it was made for, or have it made for {host}"
        )
    trusted = f"{ca_file} (KAFKA_SSL_CA_FILE)" if ca_file else "the authorities that this machine trusts"
    return (
        f"shows a certificate that {trusted} did not sign ({error.verify_message}): "
        "set KAFKA_SSL_CA_FILE to the PEM file of the authority that did"
    )
