"""Corrections have a day; reports that say the same are grouped; the tagger's lessons are kept."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not by a copy of the table: that would lose the order of its random keys on SQLite.
    op.add_column('tag', sa.Column('on', sa.Date(), nullable=True))
    op.create_table('alike',
    sa.Column('report', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('waits', sa.Boolean(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['report'], ['report.id'], ),
    sa.PrimaryKeyConstraint('report'),
    sqlite_with_rowid=False
    )
    op.create_index('ix_alike_waits', 'alike', ['waits'], unique=False)
    op.create_table('lesson',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('what', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('texts', sa.Integer(), nullable=False),
    sa.Column('heldout_old', sa.Float(), nullable=True),
    sa.Column('heldout_new', sa.Float(), nullable=True),
    sa.Column('recent_old', sa.Float(), nullable=True),
    sa.Column('recent_new', sa.Float(), nullable=True),
    sa.PrimaryKeyConstraint('day', 'what')
    )
    # Every report that a machine has read waits to be laid beside its like.
    tag = sa.table('tag', sa.column('report'), sa.column('axis'), sa.column('by'))
    alike = sa.table('alike', sa.column('report'), sa.column('waits'), sa.column('sealed'))
    read = sa.select(tag.c.report, sa.true(), sa.literal(b'', sa.LargeBinary())).where(
        tag.c.axis == 'topic', tag.c.by == 'machine')
    op.execute(sa.insert(alike).from_select(['report', 'waits', 'sealed'], read))


def downgrade() -> None:
    op.drop_table('lesson')
    op.drop_index('ix_alike_waits', 'alike')
    op.drop_table('alike')
    op.drop_column('tag', 'on')
