"""Several addresses of one person, and when each was last heard from."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NO = sa.false()
ADDED = (
    ('outgoing', sa.Column('roams', sa.Boolean(), nullable=False, server_default=NO)),
    ('outgoing', sa.Column('parked', sa.Boolean(), nullable=False, server_default=NO)),
    ('address', sa.Column('closed', sa.Boolean(), nullable=False, server_default=NO)),
    ('address', sa.Column('heard', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True)),
    ('delivery', sa.Column('letter', sqlmodel.sql.sqltypes.AutoString(), nullable=True)),
    ('delivery', sa.Column('channel', sqlmodel.sql.sqltypes.AutoString(), nullable=True)),
    ('delivery', sa.Column('meant', sqlmodel.sql.sqltypes.AutoString(), nullable=True)),
    ('delivery', sa.Column('lost', sa.Boolean(), nullable=False, server_default=NO)),
    ('wish', sa.Column('key', sa.LargeBinary(), nullable=True)),
)


def upgrade() -> None:
    for table, column in ADDED:
        op.add_column(table, column)
    op.create_index('ix_delivery_letter', 'delivery', ['letter'], unique=False)
    op.create_table('link',
    sa.Column('person', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('until', sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['person'], ['person.id'], ),
    sa.PrimaryKeyConstraint('person'),
    sa.UniqueConstraint('key')
    )
    op.create_table('accounted',
    sa.Column('what', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.PrimaryKeyConstraint('what')
    )


def downgrade() -> None:
    op.drop_table('accounted')
    op.drop_table('link')
    with op.batch_alter_table('delivery', schema=None) as batch_op:
        batch_op.drop_index('ix_delivery_letter')
    for table, column in reversed(ADDED):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column.name)
