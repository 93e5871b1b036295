"""What somebody was asked last where there are no buttons, and who polls a platform."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('lastasked',
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('key'),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('lastasked', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_lastasked_until'), ['until'], unique=False)
    op.create_table('turn',
    sa.Column('name', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('holder', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )


def downgrade() -> None:
    op.drop_table('turn')
    with op.batch_alter_table('lastasked', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_lastasked_until'))
    op.drop_table('lastasked')
