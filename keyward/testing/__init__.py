"""Contract tests that ship with keyward, for whoever writes a pack.

from keyward.testing import DetectorContract
import my_detector

class TestMyDetector(DetectorContract):
    pack = my_detector
"""

from keyward.testing.detector_contract import DetectorContract, Problem, check_pack

__all__ = ["DetectorContract", "Problem", "check_pack"]
