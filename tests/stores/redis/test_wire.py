from extproc.stores.redis.wire import packed


def test_a_command_is_an_array_of_words() -> None:
    assert packed("SET", b"\xff", 3) == b"*3\r\n$3\r\nSET\r\n$1\r\n\xff\r\n$1\r\n3\r\n"
