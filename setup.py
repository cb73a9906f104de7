"""Package metadata of ozgate."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "([^"]+)"$',
    (HERE / "ozgate" / "__init__.py").read_text(encoding="utf-8"),
    re.MULTILINE,
).group(1)


class BuildAnew(build_py):
    """Without what an earlier build from this folder left there: modules that are gone would be installed still."""

    def run(self) -> None:
        """Copy the modules."""
        if not self.editable_mode:
            for name in ("ozgate", "twisted"):
                shutil.rmtree(Path(self.build_lib, name), ignore_errors=True)
        super().run()


# From PyPI it builds from source for minutes, with a C compiler and MIT Kerberos' headers (Debian: gcc, libkrb5-dev).
# The floor is what Debian 12 has built already: python3-gssapi.
KERBEROS = ["gssapi>=1.8"]

# Java in this process, for a cluster of Apache Ozone; a JVM of 11 or newer is needed besides. What was tested is 1.7.
OZONE = ["JPype1>=1.7"]

# Metadata of many gateways. The binary package brings libpq; psycopg[c] takes that of the system.
POSTGRESQL = ["psycopg[binary]>=3.2"]

# HDFS without Java, for blobs. What was tested is 0.14.7.
HDFS = ["hdfs-native>=0.14.7"]

setup(
    name="ozgate",
    version=VERSION,
    description="An S3 gateway on Twisted that loses nothing, in the manner of Apache Ozone's.",
    keywords=["S3", "object storage", "Apache Ozone", "gateway", "Twisted"],
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    python_requires=">=3.11",
    # A folder `twisted/plugins` without `__init__.py`: twistd finds the plugin there, and
    # `import twisted` still finds Twisted.
    packages=[*find_packages(include=["ozgate", "ozgate.*"]), "twisted.plugins"],
    package_data={"ozgate": ["py.typed", "foreign/ozone/log4j.properties"]},
    cmdclass={"build_py": BuildAnew},
    # The default editable mode maps packages by an import hook, which Twisted's search for
    # plugins does not see; "compat" puts this folder on the path.
    options={"editable_wheel": {"mode": "compat"}},
    install_requires=[
        "Twisted>=26.10",
        "klein>=24.8",
        "zope.interface>=8.7",
        "pyOpenSSL>=26.4",
        "service-identity>=24.2",
        "sqlite-utils>=4.2",
        "attrs>=25.1",
        "awscrt>=0.38",
        "prometheus-client>=0.26",
        "cryptography>=50",
        "isal>=1.9",
        "click>=8.1",
        "treq>=26.7",
        # Verifies tokens of OpenID Connect. It is kept well, and needs nothing but cryptography.
        "PyJWT>=2.10",
        # Klein's own, for the parts of a form.
        "werkzeug>=3.1.4",
    ],
    extras_require={
        "kerberos": KERBEROS,
        "ozone": OZONE,
        "postgresql": POSTGRESQL,
        "hdfs": HDFS,
        # python -m tests.fuzz; comes with libFuzzer.
        "fuzz": ["atheris>=3.0"],
        "test": [
            *KERBEROS,
            *OZONE,
            *POSTGRESQL,
            "awscli>=1.46",
            "boto3>=1.44",
            "hypothesis>=6.150",
            "mypy>=2.4",
            "mypy-zope>=1.0.17",
            "ruff>=0.17",
            "s5cmd>=0.3",
            # Drives Chromium, which .ci/install-clients brings.
            "selenium>=4.40",
            "setuptools>=65.5",
        ],
    },
    entry_points={"console_scripts": ["ozgate = ozgate.cli.main:main"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Environment :: No Input/Output (Daemon)",
        "Framework :: Twisted",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Internet :: WWW/HTTP :: HTTP Servers",
        "Topic :: System :: Filesystems",
        "Typing :: Typed",
    ],
)
