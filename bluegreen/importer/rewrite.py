"""Everything that is changed on the way from blue to green, in one go, with all that a person should know about it.

Maps come first, patches last; what is reported is left as it is. All faults are told at once, before anything is
written, and none quotes a Secret's value.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from bluegreen.importer.diff import Change, all_differences
from bluegreen.importer.mentions import mentions
from bluegreen.importer.patches import Patch, PatchFault, patched
from bluegreen.importer.transform import TransformOptions, transform
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ObjectRef, ref_of


class Remark(msgspec.Struct, frozen=True):
    """Something that a person should look at.

    Attributes:
        subject: object or patch in words.
        field: where in it, empty for all of it.
        text: what about it, and what to do.
    """

    subject: str
    field: str
    text: str

    def __str__(self) -> str:
        return f"{self.subject} {self.field}: {self.text}" if self.field else f"{self.subject}: {self.text}"


class Effect(msgspec.Struct, frozen=True):
    """What a patch did to an object.

    Attributes:
        patch: name of the patch.
        changes: fields with what they are now (expected) and what they were (actual).
    """

    patch: str
    changes: tuple[Change, ...]


class Rewritten(msgspec.Struct, frozen=True):
    """Objects as green shall have them.

    Attributes:
        objects: in the order of the input.
        remarks: what a person should look at.
        effects: what patches did, by the object's name on green.
        faults: patches that cannot be applied or match nothing that they must, each with object and reason.
    """

    objects: tuple[Raw, ...]
    remarks: tuple[Remark, ...] = ()
    effects: Mapping[ObjectRef, tuple[Effect, ...]] = msgspec.field(default_factory=dict)
    faults: tuple[str, ...] = ()


def rewrite(objects: Iterable[Raw], how: TransformOptions) -> Rewritten:
    """Return objects rewritten for green.

    Args:
        objects: cleaned objects; not changed.
        how: what to rewrite.

    Raises:
        InvalidInputError: every patch that cannot be applied, with object, operation and pointer.
    """
    done = try_rewrite(objects, how)
    if done.faults:
        raise InvalidInputError(
            "transform.patch",
            "patching objects on their way to green",
            done.faults,
            "correct transform.patches in bluegreen.yaml, or narrow the match; nothing was written",
        )
    return done


def try_rewrite(objects: Iterable[Raw], how: TransformOptions) -> Rewritten:
    """Return objects rewritten for green as far as that can be done, with what cannot; for looking, never to apply.

    Args:
        objects: cleaned objects; not changed.
        how: what to rewrite.
    """
    work = _Patching(how.patches)
    done = tuple(work.patch(transform(obj, how)) for obj in objects)
    work.finish()
    found = [Remark(str(ref_of(obj)), path, text) for obj in done for path, text in mentions(obj, how.namespaces)]
    return Rewritten(done, (*work.remarks, *found), work.effects, tuple(work.faults))


class _Patching:
    """Applies the patches to one object after the other and remembers what happened."""

    def __init__(self, patches: Sequence[Patch]) -> None:
        self._patches = patches
        self._used: set[str] = set()
        self.faults: list[str] = []
        self.remarks: list[Remark] = []
        self.effects: dict[ObjectRef, tuple[Effect, ...]] = {}

    def patch(self, obj: Raw) -> Raw:
        """Return an object with the patches that match it as it came."""
        if not self._patches:
            return obj
        fitting = [patch for patch in self._patches if patch.match.fits(obj)]
        self._used.update(patch.name for patch in fitting)
        for one in fitting:
            try:
                after = patched(obj, one)
            except PatchFault as fault:
                self.faults.append(f"patch {one.name}, {ref_of(obj)}: {fault}")
                continue
            effect = Effect(one.name, all_differences(after, obj))
            self.effects[ref_of(obj)] = (*self.effects.get(ref_of(obj), ()), effect)
            obj = after
        return obj

    def finish(self) -> None:
        """Note the patches that matched nothing."""
        for patch in self._patches:
            if patch.name not in self._used and patch.required:
                self.faults.append(f"patch {patch.name}: it matches no object and is required")
            elif patch.name not in self._used:
                self.remarks.append(Remark(f"patch {patch.name}", "", "it matches no object; look at its match"))
