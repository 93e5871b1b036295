"""Campaigns, rounds, who took part, what was said, and what is counted of it."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('campaign',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('body', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('since', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('closed', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('round',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('campaign', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('due', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('opened', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('closes', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('floor', sa.Integer(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('contributors', sa.Integer(), nullable=False),
    sa.Column('buckets', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['campaign'], ['campaign.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('campaign', 'due')
    )
    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_round_state'), ['state'], unique=False)

    op.create_table('affiliation',
    sa.Column('person', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('organisation', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['person'], ['person.id'], ),
    sa.PrimaryKeyConstraint('person', 'organisation'),
    sqlite_with_rowid=False
    )
    op.create_table('ballot',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('campaign', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('round', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['campaign'], ['campaign.id'], ),
    sa.ForeignKeyConstraint(['round'], ['round.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('ballot', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ballot_campaign'), ['campaign'], unique=False)

    op.create_table('participation',
    sa.Column('round', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('person', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('unit', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('told', sa.Boolean(), nullable=False),
    sa.Column('done', sa.Boolean(), nullable=False),
    sa.Column('reminded', sa.Integer(), nullable=False),
    sa.Column('reminded_on', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['person'], ['person.id'], ),
    sa.ForeignKeyConstraint(['round'], ['round.id'], ),
    sa.PrimaryKeyConstraint('round', 'person'),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('participation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_participation_person'), ['person'], unique=False)

    op.create_table('pause',
    sa.Column('person', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['person'], ['person.id'], ),
    sa.PrimaryKeyConstraint('person'),
    sqlite_with_rowid=False
    )
    op.create_table('result',
    sa.Column('round', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('unit', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.Column('snapshot', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['round'], ['round.id'], ),
    sa.PrimaryKeyConstraint('round', 'unit')
    )
    op.create_table('resultsent',
    sa.Column('round', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('person', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.ForeignKeyConstraint(['person'], ['person.id'], ),
    sa.ForeignKeyConstraint(['round'], ['round.id'], ),
    sa.PrimaryKeyConstraint('round', 'person')
    )
    op.create_table('saying',
    sa.Column('id', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('round', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('state', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['round'], ['round.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('saying', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_saying_round'), ['round'], unique=False)

    op.create_table('tally',
    sa.Column('round', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('bucket', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('question', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('option', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['round'], ['round.id'], ),
    sa.PrimaryKeyConstraint('round', 'bucket', 'question', 'option'),
    sqlite_with_rowid=False
    )



def downgrade() -> None:

    op.drop_table('tally')
    with op.batch_alter_table('saying', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_saying_round'))

    op.drop_table('saying')
    op.drop_table('resultsent')
    op.drop_table('result')
    op.drop_table('pause')
    with op.batch_alter_table('participation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_participation_person'))

    op.drop_table('participation')
    with op.batch_alter_table('ballot', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ballot_campaign'))

    op.drop_table('ballot')
    op.drop_table('affiliation')
    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_round_state'))

    op.drop_table('round')
    op.drop_table('campaign')
