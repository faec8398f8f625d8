"""Where a marketplace's package goes, for its label."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0012_package_labels'
down_revision = '0011_forgetting'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ('address', 'district', 'postal_code'):
        op.add_column('storefront_package', sa.Column(name, sa.Text(), server_default='', nullable=False))
    prints = sa.Column('label_prints', sa.BigInteger(), server_default=sa.text('0'), nullable=False)
    op.add_column('storefront_package', prints)


def downgrade() -> None:
    for name in ('label_prints', 'postal_code', 'district', 'address'):
        op.drop_column('storefront_package', name)
