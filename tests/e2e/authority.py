"""An authority of the tests, and the certificates that it signs, as files."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_DAY = timedelta(days=1)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Certificate:
    """Two files, of a certificate and its key."""

    def __init__(self, stem: Path, made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate, self.key = stem.with_suffix(".pem"), stem.with_suffix(".key")
        self.certificate.write_bytes(made.public_bytes(Encoding.PEM))
        self.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self.digest = sha256(made.public_bytes(Encoding.DER)).hexdigest()

    @property
    def files(self) -> tuple[str, str]:
        return str(self.certificate), str(self.key)


class Authority:
    def __init__(self, directory: Path, name: str) -> None:
        self._directory, self._name = directory, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        made = self._builder(name, self._key).add_extension(constraints, critical=True)
        self.own = Certificate(directory / name, made.sign(self._key, SHA256()), self._key)

    def issue(self, name: str, *names: str) -> Certificate:
        """For these URIs and IP addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        others = [
            x509.UniformResourceIdentifier(text)
            if "://" in text
            else x509.IPAddress(ip_address(text))
            for text in names
        ]
        builder = self._builder(name, key)
        if others:
            builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
        return Certificate(self._directory / name, builder.sign(self._key, SHA256()), key)

    def _builder(self, name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name.replace("_", "/")))
            .issuer_name(_name(self._name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
        )
