"""The bar that counts media, and frames of clips."""

from types import SimpleNamespace

from mesonet.cli.progress import MediaBar


def test_frames_of_a_clip_count_before_it_is_done():
    bar = MediaBar(2, pauses=True)
    (task,) = bar.bar.tasks
    seen = []

    def results():
        bar.look("clip.mp4", 1, 3)
        seen.append((task.completed, task.fields["frames"]))
        bar.look("clip.mp4", 3, 3)
        seen.append((task.completed, task.fields["frames"]))
        yield SimpleNamespace(path="clip.mp4")
        seen.append(task.completed)
        yield SimpleNamespace(path="photo.jpg")

    assert [result.path for result in bar.track(results())] == ["clip.mp4", "photo.jpg"]
    assert seen == [(0.25, "frame 1 of 3"), (0.75, "frame 3 of 3"), 1]
    assert task.completed == 2
