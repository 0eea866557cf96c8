"""The released detectors `standard` and `thorough`: data, training, calibration, release."""
