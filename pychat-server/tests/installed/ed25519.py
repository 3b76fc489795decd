"""Signs as RFC 8032 says, by its own code in short: slowly, and with keys that are good for tests only."""

import base64
import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE_Y = 4 * pow(5, -1, P) % P


def recover_x(y):
    """Returns the even x of a point of the curve."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x % 2 == 0 else P - x


BASE = (recover_x(BASE_Y), BASE_Y, 1, recover_x(BASE_Y) * BASE_Y % P)
NEUTRAL = (0, 1, 1, 0)


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number, point=BASE):
    product = NEUTRAL
    while number:
        if number & 1:
            product = add(product, point)
        point, number = add(point, point), number >> 1
    return product


def compressed(point):
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def sign(secret, text):
    """Returns the public key of 32 secret bytes, and the signature of a text."""
    digest = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    key = compressed(times(scalar))
    chance = number(digest[32:], text) % ORDER
    point = compressed(times(chance))
    proof = (chance + number(point, key, text) * scalar) % ORDER
    return key, point + proof.to_bytes(32, "little")


def base64url(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def prove(secret, nonce, username):
    """Returns the members by which a hello answers a greeting with this nonce, without TLS."""
    text = b"pychat hello 2\0" + bytes.fromhex(nonce) + bytes(32) + username.encode()
    key, signature = sign(secret, text)
    return {"key": base64url(key), "signature": base64url(signature)}
