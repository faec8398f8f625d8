"""What the supervisor's web server imports."""

from portal.sandbox.app import create_sandbox
from portal.sandbox.world import SandboxSettings

app = create_sandbox(SandboxSettings.from_env())
