import {
  paginateDescribeDBClusterParameterGroups,
  paginateDescribeDBClusters,
  paginateDescribeDBInstances,
  paginateDescribeDBParameterGroups,
  paginateDescribeDBSubnetGroups,
  paginateDescribeGlobalClusters,
  RDSClient,
} from '@aws-sdk/client-rds';
import { using } from '../using-client.ts';
import { amongListed, type FindTaken, type NamedKinds } from './named-kind.ts';

const instances: FindTaken = (settings, names) =>
  using(new RDSClient(settings), client =>
    amongListed(names, paginateDescribeDBInstances({ client }, {}), ({ DBInstances }) =>
      DBInstances?.map(({ DBInstanceIdentifier: name }) => ({ name })),
    ),
  );

const clusters: FindTaken = (settings, names) =>
  using(new RDSClient(settings), client =>
    amongListed(names, paginateDescribeDBClusters({ client }, {}), ({ DBClusters }) =>
      DBClusters?.map(({ DBClusterIdentifier: name }) => ({ name })),
    ),
  );

/** In the whole account. */
const globalClusters: FindTaken = (settings, names) =>
  using(new RDSClient(settings), client =>
    amongListed(names, paginateDescribeGlobalClusters({ client }, {}), ({ GlobalClusters }) =>
      GlobalClusters?.map(({ GlobalClusterIdentifier: name }) => ({ name })),
    ),
  );

const subnetGroups: FindTaken = (settings, names) =>
  using(new RDSClient(settings), client =>
    amongListed(names, paginateDescribeDBSubnetGroups({ client }, {}), ({ DBSubnetGroups }) =>
      DBSubnetGroups?.map(({ DBSubnetGroupName: name }) => ({ name })),
    ),
  );

const parameterGroups: FindTaken = (settings, names) =>
  using(new RDSClient(settings), client =>
    amongListed(names, paginateDescribeDBParameterGroups({ client }, {}), ({ DBParameterGroups }) =>
      DBParameterGroups?.map(({ DBParameterGroupName: name }) => ({ name })),
    ),
  );

const clusterParameterGroups: FindTaken = (settings, names) =>
  using(new RDSClient(settings), client =>
    amongListed(
      names,
      paginateDescribeDBClusterParameterGroups({ client }, {}),
      ({ DBClusterParameterGroups }) =>
        DBClusterParameterGroups?.map(({ DBClusterParameterGroupName: name }) => ({ name })),
    ),
  );

const INSTANCE = {
  title: 'database instance',
  name: 'identifier',
  findTaken: instances,
  command: 'rds describe-db-instances --db-instance-identifier $name',
};

/** Groups that something uses, RDS does not delete. */
export const DATABASES: NamedKinds = {
  aws_db_instance: INSTANCE,
  aws_rds_cluster_instance: INSTANCE,
  aws_rds_cluster: {
    title: 'database cluster',
    name: 'cluster_identifier',
    findTaken: clusters,
    command: 'rds describe-db-clusters --db-cluster-identifier $name',
  },
  aws_rds_global_cluster: {
    title: 'global database',
    name: 'global_cluster_identifier',
    findTaken: globalClusters,
    command: 'rds describe-global-clusters --global-cluster-identifier $name',
  },
  aws_db_subnet_group: {
    title: 'database subnet group',
    name: 'name',
    findTaken: subnetGroups,
    command: 'rds delete-db-subnet-group --db-subnet-group-name $name',
  },
  aws_db_parameter_group: {
    title: 'database parameter group',
    name: 'name',
    findTaken: parameterGroups,
    command: 'rds delete-db-parameter-group --db-parameter-group-name $name',
  },
  aws_rds_cluster_parameter_group: {
    title: 'cluster parameter group',
    name: 'name',
    findTaken: clusterParameterGroups,
    command: 'rds delete-db-cluster-parameter-group --db-cluster-parameter-group-name $name',
  },
};
