"""What a channel that pushes needs: claims and doubts, parts held until they are whole, silences."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

NO = sa.false()
NONE = sa.text('0')


def upgrade() -> None:
    for column in (
        sa.Column('bulk', sa.Boolean(), nullable=False, server_default=NO),
        sa.Column('claimed', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column('doubt', sa.Boolean(), nullable=False, server_default=NO),
        sa.Column('done', sa.Integer(), nullable=False, server_default=NONE),
        sa.Column('tries', sa.Integer(), nullable=False, server_default=NONE),
    ):
        op.add_column('outgoing', column)  # not by a copy of the table, which leaves free pages
    op.create_index('ix_outgoing_due', 'outgoing', ['channel', 'bulk', 'n'], unique=False)
    op.add_column('address', sa.Column('shut', sa.Boolean(), nullable=False, server_default=NO))
    op.create_table('held',
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('due', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('until', sa.Date(), nullable=False),
    sa.PrimaryKeyConstraint('key', 'number'),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('held', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_held_until'), ['until'], unique=False)
    op.create_table('silence',
    sa.Column('channel', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('channel')
    )


def downgrade() -> None:
    op.drop_table('silence')
    with op.batch_alter_table('held', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_held_until'))
    op.drop_table('held')
    with op.batch_alter_table('address', schema=None) as batch_op:
        batch_op.drop_column('shut')
    with op.batch_alter_table('outgoing', schema=None) as batch_op:
        batch_op.drop_index('ix_outgoing_due')
        for name in ('tries', 'done', 'doubt', 'claimed', 'bulk'):
            batch_op.drop_column(name)
