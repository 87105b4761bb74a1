"""Both clusters come up at the same time and want the same image; it is made once, and whole."""

import threading

from scenarios.lab import images


def test_two_that_want_the_same_image_get_the_same_whole_file(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "cache", lambda: tmp_path)
    write, barrier, made, errors = images._write_image, threading.Barrier(2), [], []

    def slow(*arguments):
        made.append(arguments[0])
        write(*arguments)
        threading.Event().wait(0.2)

    def build():
        try:
            barrier.wait(5)
            paths.append(images.build_image("test:1", {"etc/x": images.Entry(data=b"x")}))
        except OSError as error:
            errors.append(error)

    monkeypatch.setattr(images, "_write_image", slow)
    paths = []
    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert errors == []
    assert len(made) == 1
    assert len(set(paths)) == 1
    assert sorted(path.suffix for path in (tmp_path / "images").iterdir()) == [".tar"]
